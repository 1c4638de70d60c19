/** The same trivial step as everywhere: its value, given back. */
export async function step(value: number): Promise<number> {
  return value;
}
