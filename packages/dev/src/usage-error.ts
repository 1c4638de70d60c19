/** A command's arguments cannot be used. The message says what is wrong, and how they should be. */
export class UsageError extends Error {
  override name = "UsageError";
}
