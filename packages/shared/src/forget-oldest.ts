// Sandbox-safe: workflow code uses this too.

/** Deletes the entries that were added first until `most` are left. Setting a key again does not make it newer. */
export function forgetOldest(entries: Map<string, unknown> | Set<string>, most: number): void {
  for (const oldest of entries.keys()) {
    if (entries.size <= most) return;
    entries.delete(oldest);
  }
}
