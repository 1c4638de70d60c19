-- Writers of runs wait until this is through (1,000,000 runs: some 20 s), so that what is counted at its end
-- is all there is, and what comes later is noted by the triggers.
LOCK TABLE "workflow_runs" IN SHARE ROW EXCLUSIVE MODE;

-- CreateTable
CREATE TABLE "workflow_run_counts" (
    "org_id" TEXT NOT NULL,
    "definition_id" TEXT NOT NULL,
    "from_at" TIMESTAMPTZ(6) NOT NULL,
    "started" INTEGER NOT NULL,
    "completed" INTEGER NOT NULL,
    "canceled" INTEGER NOT NULL,
    "failed" INTEGER NOT NULL,

    CONSTRAINT "workflow_run_counts_pkey" PRIMARY KEY ("org_id","definition_id","from_at")
);

-- CreateTable
CREATE TABLE "workflow_run_changes" (
    "org_id" TEXT NOT NULL,
    "definition_id" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL,
    "status_before" TEXT,
    "status_after" TEXT
);

-- Statuses in front of the times: as many indexes as before, and each status can be walked on its own.
-- DropIndex
DROP INDEX "workflow_runs_org_id_started_at_id_idx";

-- DropIndex
DROP INDEX "workflow_runs_org_id_definition_id_started_at_id_idx";

-- CreateIndex
CREATE INDEX "workflow_runs_org_id_status_started_at_id_idx" ON "workflow_runs"("org_id", "status", "started_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "workflow_runs_org_id_definition_id_status_started_at_id_idx" ON "workflow_runs"("org_id", "definition_id", "status", "started_at" DESC, "id" DESC);


-- What Prisma's schema language cannot say:

-- Rows come and go within seconds: what is dead must not add up, every list of runs reads past it.
ALTER TABLE "workflow_run_changes" SET (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
-- Room for the next versions of a row beside it.
ALTER TABLE "workflow_run_counts" SET (fillfactor = 70);

-- A change is committed with what it tells of, so counts and changes together are exact in every snapshot.
-- An insert waits for nobody: writers of runs cannot meet each other here. Functions of one statement each,
-- because every condition in them would cost each writer.
CREATE FUNCTION "note_new_run"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "workflow_run_changes" VALUES (NEW.org_id, NEW.definition_id, NEW.started_at, NULL, NEW.status);
  RETURN NULL;
END $$;
CREATE FUNCTION "note_run_status"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "workflow_run_changes" VALUES (NEW.org_id, NEW.definition_id, NEW.started_at, OLD.status, NEW.status);
  RETURN NULL;
END $$;
CREATE FUNCTION "note_run_place"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "workflow_run_changes" VALUES
    (OLD.org_id, OLD.definition_id, OLD.started_at, OLD.status, NULL),
    (NEW.org_id, NEW.definition_id, NEW.started_at, NULL, NEW.status);
  RETURN NULL;
END $$;
CREATE FUNCTION "note_gone_run"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "workflow_run_changes" VALUES (OLD.org_id, OLD.definition_id, OLD.started_at, OLD.status, NULL);
  RETURN NULL;
END $$;

CREATE TRIGGER "note_new_run" AFTER INSERT ON "workflow_runs"
  FOR EACH ROW EXECUTE FUNCTION "note_new_run"();
-- Most updates leave a run's status; those must not pay.
CREATE TRIGGER "note_run_status" AFTER UPDATE ON "workflow_runs" FOR EACH ROW
  WHEN (OLD.status <> NEW.status
        AND (OLD.org_id, OLD.definition_id, OLD.started_at) = (NEW.org_id, NEW.definition_id, NEW.started_at))
  EXECUTE FUNCTION "note_run_status"();
-- No service does that; a repair by hand might.
CREATE TRIGGER "note_run_place" AFTER UPDATE ON "workflow_runs" FOR EACH ROW
  WHEN ((OLD.org_id, OLD.definition_id, OLD.started_at) <> (NEW.org_id, NEW.definition_id, NEW.started_at))
  EXECUTE FUNCTION "note_run_place"();
CREATE TRIGGER "note_gone_run" AFTER DELETE ON "workflow_runs"
  FOR EACH ROW EXECUTE FUNCTION "note_gone_run"();

CREATE FUNCTION "forget_run_counts"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE "workflow_run_counts", "workflow_run_changes";
  RETURN NULL;
END $$;

CREATE TRIGGER "forget_run_counts" AFTER TRUNCATE ON "workflow_runs"
  FOR EACH STATEMENT EXECUTE FUNCTION "forget_run_counts"();

-- The runs that are there: a block begins with every 2,000th of an org.
INSERT INTO "workflow_run_counts"
SELECT org_id, coalesce(definition_id, ''), from_at,
       count(*) FILTER (WHERE status = 'started'), count(*) FILTER (WHERE status = 'completed'),
       count(*) FILTER (WHERE status = 'canceled'), count(*) FILTER (WHERE status = 'failed')
  FROM (SELECT org_id, definition_id, status,
               coalesce(max(started_at) FILTER (WHERE place % 2000 = 0)
                          OVER (PARTITION BY org_id ORDER BY started_at), '-infinity') AS from_at
          FROM (SELECT org_id, definition_id, status, started_at,
                       row_number() OVER (PARTITION BY org_id ORDER BY started_at) AS place
                  FROM "workflow_runs") AS numbered) AS placed
 GROUP BY GROUPING SETS ((org_id, from_at), (org_id, definition_id, from_at));
ANALYZE "workflow_runs", "workflow_run_counts";
