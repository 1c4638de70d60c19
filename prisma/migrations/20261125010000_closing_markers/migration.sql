-- AlterTable
ALTER TABLE "workflow_runs" ADD COLUMN "closing_markers" INTEGER NOT NULL DEFAULT 0;
