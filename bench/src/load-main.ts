// `npm run bench:load`: an org with as many runs as wanted, in the service's database.
import { readToolConfig } from "@truerun/dev/config";
import { explainError } from "@truerun/dev/explain-error";
import { findDatabaseUrl } from "@truerun/dev/find-database";
import { endWithUsage, UsageError } from "@truerun/shared/command-line";
import { parseLoadOptions } from "./load/load-options.ts";
import { loadRuns } from "./load/load-runs.ts";

try {
  const plan = parseLoadOptions(process.argv.slice(2));
  const url = await findDatabaseUrl(readToolConfig());
  const all = plan.runs + plan.otherRuns;
  const startedAt = performance.now();
  const { orgId, key } = await loadRuns({
    url,
    plan,
    onProgress: (runs) => process.stderr.write(`${runs} of ${all} runs\n`),
  });
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  process.stdout.write(
    `Loaded ${all} runs in ${seconds} s: ${plan.runs} of ${orgId}. Its key:\n${key}\n`,
  );
  process.exit(0);
} catch (error) {
  if (error instanceof UsageError) endWithUsage(error);
  process.stderr.write(`${explainError(error)}\n`);
  process.exit(1);
}
