/** The start cannot go on. The message is for the person at the terminal: what is wrong, what to set. */
export class StartError extends Error {
  override name = "StartError";
}
