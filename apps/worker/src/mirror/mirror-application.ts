/** What the mirror's connections are called in Postgres: by this name its transactions are found there. */
export const MIRROR_APPLICATION = "truerun-mirror";
