-- AlterTable
ALTER TABLE "workflow_definition_versions" ADD COLUMN "summary" JSON;
