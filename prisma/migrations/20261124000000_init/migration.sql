-- CreateTable
CREATE TABLE "organizations" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "organizations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" TEXT NOT NULL,
    "org_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "key_hash" BYTEA NOT NULL,
    "scopes" TEXT[],
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6),
    "revoked_at" TIMESTAMPTZ(6),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "workflow_definitions" (
    "id" TEXT NOT NULL,
    "org_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "enabled" BOOLEAN NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "workflow_definitions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "workflow_definition_versions" (
    "definition_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "document" JSON NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "workflow_definition_versions_pkey" PRIMARY KEY ("definition_id","version")
);

-- CreateTable
CREATE TABLE "workflow_runs" (
    "id" TEXT NOT NULL,
    "org_id" TEXT NOT NULL,
    "definition_id" TEXT NOT NULL,
    "definition_version" INTEGER NOT NULL,
    "workflow_name" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'started',
    "started_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "completed_at" TIMESTAMPTZ(6),
    "input" JSON NOT NULL,
    "request_hash" BYTEA NOT NULL,
    "error_code" TEXT,
    "error_message" TEXT,
    "dispatched_at" TIMESTAMPTZ(6),
    "next_dispatch_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "temporal_run_id" TEXT,
    "generation" INTEGER NOT NULL DEFAULT 0,
    "mirror_length" INTEGER NOT NULL DEFAULT 0,
    "mirror_time_ms" BIGINT NOT NULL DEFAULT 0,
    "mirror_seq" INTEGER NOT NULL DEFAULT 0,
    "step_count" INTEGER,
    "steps_digest" BIGINT,
    "confirmed_at" TIMESTAMPTZ(6),

    CONSTRAINT "workflow_runs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "workflow_run_steps" (
    "id" TEXT NOT NULL,
    "run_id" TEXT NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "step_key" TEXT NOT NULL,
    "item_index" INTEGER,
    "component_id" TEXT NOT NULL,
    "component_name" TEXT NOT NULL,
    "action_type" TEXT NOT NULL,
    "status" TEXT,
    "message" TEXT,
    "artifacts" JSON NOT NULL,
    "output" JSON,
    "attempt" INTEGER,
    "started_at_ms" BIGINT,
    "finished_at_ms" BIGINT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,
    "temporal_run_id" TEXT NOT NULL,
    "generation" INTEGER NOT NULL,
    "mirror_length" INTEGER NOT NULL,
    "mirror_time_ms" BIGINT NOT NULL,
    "mirror_seq" INTEGER NOT NULL,
    "digest" BIGINT NOT NULL,

    CONSTRAINT "workflow_run_steps_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "org_id" TEXT NOT NULL,
    "endpoint" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "run_id" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("org_id","endpoint","key")
);

-- CreateTable
CREATE TABLE "component_types" (
    "action_type" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "input_schema" JSON NOT NULL,
    "output_schema" JSON NOT NULL,
    "defaults" JSON NOT NULL,
    "published_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "component_types_pkey" PRIMARY KEY ("action_type")
);

-- CreateIndex
CREATE UNIQUE INDEX "organizations_name_key" ON "organizations"("name");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_key_hash_key" ON "api_keys"("key_hash");

-- CreateIndex
CREATE INDEX "api_keys_org_id_idx" ON "api_keys"("org_id");

-- CreateIndex
CREATE UNIQUE INDEX "workflow_definitions_org_id_name_key" ON "workflow_definitions"("org_id", "name");

-- CreateIndex
CREATE INDEX "workflow_runs_org_id_started_at_id_idx" ON "workflow_runs"("org_id", "started_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "workflow_runs_org_id_definition_id_started_at_id_idx" ON "workflow_runs"("org_id", "definition_id", "started_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "workflow_run_steps_run_id_ordinal_idx" ON "workflow_run_steps"("run_id", "ordinal");

-- CreateIndex
CREATE INDEX "idempotency_keys_expires_at_idx" ON "idempotency_keys"("expires_at");

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_org_id_fkey" FOREIGN KEY ("org_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "workflow_definitions" ADD CONSTRAINT "workflow_definitions_org_id_fkey" FOREIGN KEY ("org_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;


-- What Prisma's schema language cannot say:

-- The sweeper's work list, empty in calm.
CREATE INDEX "workflow_runs_undispatched_idx" ON "workflow_runs" ("next_dispatch_at") WHERE "dispatched_at" IS NULL AND "status" = 'started';

ALTER TABLE "workflow_runs" ADD CONSTRAINT "workflow_runs_status_check" CHECK ("status" IN ('started', 'completed', 'canceled', 'failed'));
ALTER TABLE "workflow_runs" ADD CONSTRAINT "workflow_runs_completed_at_check" CHECK (("status" = 'started') = ("completed_at" IS NULL));
ALTER TABLE "workflow_run_steps" ADD CONSTRAINT "workflow_run_steps_status_check" CHECK ("status" IN ('success', 'failed', 'skipped'));
