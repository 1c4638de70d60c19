/** The name of the mirror's connections in Postgres, by which its transactions are found there. */
export const MIRROR_APPLICATION = "truerun-mirror";
