-- Components that another team's worker serves: where that worker polls.
ALTER TABLE "component_types" ADD COLUMN "task_queue" TEXT;
