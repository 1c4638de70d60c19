-- AlterTable
ALTER TABLE "workflow_runs" ADD COLUMN     "parent_run_id" TEXT,
ADD COLUMN     "parent_temporal_run_id" TEXT;
