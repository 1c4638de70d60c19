-- CreateTable
CREATE TABLE "reconciler_cursors" (
    "name" TEXT NOT NULL,
    "position" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "reconciler_cursors_pkey" PRIMARY KEY ("name")
);
