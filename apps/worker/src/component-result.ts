// The rules for a step's input and result, whoever runs the component.
import { ApplicationFailure } from "@temporalio/common";
import { ARTIFACT_ROLES, type Artifact } from "@truerun/shared/contracts/statuses";
import { z } from "zod";

/** Temporal takes 2 MB at most, and a run's history holds every envelope: larger results are refused. */
const MAX_ENVELOPE_BYTES = 1_048_576;

/** Artifacts that one step may have. */
export const MAX_ARTIFACTS = 1_000;

const entityText = z.string().min(1).max(255);

const artifactsSchema = z
  .array(
    z.strictObject({
      artifact_type: entityText,
      id: entityText,
      role: z.enum(ARTIFACT_ROLES),
    }),
  )
  .max(MAX_ARTIFACTS);

/** Which part of a step is at fault, and the type of its failure. */
export interface Judged {
  type: "InvalidInput" | "InvalidOutput";
  place: "with" | "output" | "artifacts";
}

/** @throws a non-retryable ApplicationFailure naming every place that does not fit the schema */
export async function parseOrRefuse<T extends z.ZodType>(
  schema: T,
  value: unknown,
  judged: Judged,
): Promise<z.output<T>> {
  const parsed = await schema.safeParseAsync(value).catch((error: unknown) => {
    // How zod ends when a list has some hundred thousand wrong members. Another attempt would, too.
    if (!(error instanceof RangeError)) throw error;
    const message = `${judged.place}: has more faults than can be listed`;
    throw ApplicationFailure.nonRetryable(message, judged.type);
  });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => ({ path, message }));
  throw toRefusal(faults, judged);
}

/**
 * @param artifacts - of a component's result; null or left out: none
 * @throws a non-retryable `InvalidOutput`
 */
export async function parseArtifacts(artifacts: unknown): Promise<Artifact[]> {
  return await parseOrRefuse(artifactsSchema, artifacts ?? [], {
    type: "InvalidOutput",
    place: "artifacts",
  });
}

const MAX_FAULTS = 10;

/** A failure such as `with.amount: Input should be a valid integer; with.unit: Field required`. */
export function toRefusal(
  faults: readonly { path: readonly PropertyKey[]; message: string }[],
  { type, place }: Judged,
): ApplicationFailure {
  const lines = faults
    .slice(0, MAX_FAULTS)
    .map(
      ({ path, message }) =>
        `${place}${z.core.toDotPath(path).replace(/^(?=[^[])/, ".")}: ${message}`,
    );
  const more = faults.length > MAX_FAULTS ? ` (and ${faults.length - MAX_FAULTS} more)` : "";
  return ApplicationFailure.nonRetryable(lines.join("; ") + more, type);
}

/** A failure of a component's own making that no other attempt can fix. */
export function invalidOutput(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, "InvalidOutput");
}

/** The failure of a component that returns no result, but something else. */
export function noResult(): ApplicationFailure {
  return invalidOutput("The component must return an object with the member output");
}

/**
 * @param envelope - what a step gives: plain JSON
 * @throws a non-retryable `OutputTooLarge`
 */
export function assertFits(envelope: object): void {
  const bytes = Buffer.byteLength(JSON.stringify(envelope), "utf8");
  if (bytes <= MAX_ENVELOPE_BYTES) return;
  throw ApplicationFailure.nonRetryable(
    `The output takes ${bytes} bytes, more than the ${MAX_ENVELOPE_BYTES} that are allowed. Keep large data in a store and return a reference to it.`,
    "OutputTooLarge",
  );
}
