import type { Database } from "../db.ts";
import type { Json } from "../contracts/json.ts";

/** One entry of the catalogue as the workers published it. */
export interface CatalogueEntry {
  action_type: string;
  title: string;
  description: string;
  input_schema: Json;
  output_schema: Json;
  defaults: Json;
  /** Where another team's worker polls; null: our own workers serve the action. */
  task_queue: string | null;
}

/** What definitions may use as `action`, ordered by name. Empty until a worker has published it. */
export async function loadCatalogue(db: Database): Promise<CatalogueEntry[]> {
  return db.$queryRaw<CatalogueEntry[]>`
    SELECT action_type, title, description, input_schema, output_schema, defaults, task_queue
    FROM component_types
    ORDER BY action_type COLLATE "C"`;
}
