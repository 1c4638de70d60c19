/** The same trivial step as in every system: returns its value. */
export async function step(value: number): Promise<number> {
  return value;
}
