/** Groups a list's elements by a key of each, keeping their order. */
export function groupBy<T, K>(list: Iterable<T>, toKey: (element: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const element of list) {
    const key = toKey(element);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [element]);
    else group.push(element);
  }
  return groups;
}
