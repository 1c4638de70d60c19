import { ApplicationFailure } from "@temporalio/common";

/**
 * Does the part of a local activity that needs the database.
 *
 * @param warn - called with what the database's client threw, which Temporal is not told
 * @throws the work's own ApplicationFailure; for whatever else it throws, a retryable one
 */
export async function askDatabase<T>(
  work: () => Promise<T>,
  warn: (error: unknown) => void,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApplicationFailure) throw error;
    warn(error);
    // A database driver's message does not belong in Temporal's history.
    throw ApplicationFailure.retryable("The database did not answer.", "DatabaseUnavailable");
  }
}
