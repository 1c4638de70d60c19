/** A definition has at most 500 components; in a longer chain, each has several items, one after the other. */
const LONGEST_CHAIN = 100;

/** The input for a {@link chain} of this many steps. */
export function chainInput(steps: number): object {
  const items = Math.max(1, Math.round(steps / LONGEST_CHAIN));
  return { value: 7, items: Array.from({ length: items }, (_, item) => item) };
}

/** This many regular steps, one after the other. */
export function chain(steps: number): object {
  const length = Math.min(steps, LONGEST_CHAIN);
  const each = steps > length ? { for_each: "${{ input.items }}", max_concurrency: 1 } : {};
  const components = Array.from({ length }, (_, index) => ({
    key: `step_${index}`,
    action: "bench_step",
    ...each,
    with: { value: "${{ input.value }}" },
    ...(index + 1 < length ? { next: [{ to: `step_${index + 1}` }] } : {}),
  }));
  return { components };
}

/** A regular step for each of the input's items, with the default concurrency. */
export function fanOut(): object {
  const component = { key: "each", action: "bench_step", for_each: "${{ input.items }}" };
  return { components: [{ ...component, with: { value: "${{ item }}" } }] };
}
