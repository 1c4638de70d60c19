/** A definition of three components, one after the other. */
export function toThreeSteps(action: string): object {
  const value = "${{ input.value }}";
  return {
    components: ["first", "second", "third"].map((key, index, keys) => {
      const next = keys[index + 1];
      const edges = next === undefined ? {} : { next: [{ to: next }] };
      return { key, action, with: { value }, ...edges };
    }),
  };
}
