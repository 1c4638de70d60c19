/**
 * What each session that Prisma's adapter uses has to be given, whatever the server's, the database's or the user's
 * defaults are. The adapter drops the offset of times that it reads, and writes them without one: only UTC is right.
 */
const SETTINGS = ["TimeZone=UTC", "DateStyle=ISO"];

/** Parameters of a URL that `pg` would follow over what a pool is told; the service relies on its own. */
const OWN = ["application_name", "statement_timeout", "query_timeout"];

/** What a pool is told about its sessions. */
export interface Session {
  connectionString: string;
  options: string;
}

/**
 * Adds settings to those that a URL has in its parameter `options`, which `pg` would use instead, and leaves out
 * parameters that are the pool's to set.
 *
 * @param url - `postgresql://...`
 * @param settings - further ones, as `name=value`
 */
export function toSession(url: string, settings: readonly string[] = []): Session {
  const address = new URL(url);
  const given = address.searchParams.get("options");
  const own = [...SETTINGS, ...settings].map((setting) => `-c ${setting}`).join(" ");
  for (const name of ["options", ...OWN]) address.searchParams.delete(name);
  return { connectionString: address.href, options: given === null ? own : `${given} ${own}` };
}
