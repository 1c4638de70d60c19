/** The start cannot go on. The message tells the user at the terminal what is wrong and what to set. */
export class StartError extends Error {
  override name = "StartError";
}
