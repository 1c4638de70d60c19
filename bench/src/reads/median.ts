/** The middle one, or the higher of the middle two. @throws when there is none */
export function median(values: readonly number[]): number {
  const middle = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  if (middle === undefined) throw new Error("There is nothing to take the median of");
  return middle;
}
