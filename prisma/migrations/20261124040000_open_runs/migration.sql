-- AlterTable
ALTER TABLE "workflow_runs" ADD COLUMN     "projected_length" INTEGER NOT NULL DEFAULT 0;

-- The reconciler walks the runs whose end is not confirmed: they are few among all.
CREATE INDEX "workflow_runs_unconfirmed_idx" ON "workflow_runs" ("id") WHERE "confirmed_at" IS NULL;
