/** A definition of three components, one after the other: each takes what the one before it gave. */
export function toThreeSteps(action: string): object {
  const step = (key: string, value: string, next?: string) => ({
    key,
    action,
    with: { value },
    ...(next === undefined ? {} : { next: [{ to: next }] }),
  });
  return {
    components: [
      step("first", "${{ input.value }}", "second"),
      step("second", "${{ steps.first.output }}", "third"),
      step("third", "${{ steps.second.output }}"),
    ],
  };
}
