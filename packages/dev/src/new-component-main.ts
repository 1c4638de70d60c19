// `npm run new:component <action_type>`: writes a component and its test, and says where.
import { relative } from "node:path";
import { createComponent, NewComponentError } from "./new-component/create-component.ts";
import { COMPONENTS_DIR } from "./project-paths.ts";

try {
  const written = await createComponent(COMPONENTS_DIR, process.argv.slice(2));
  for (const path of written) process.stdout.write(`${relative(process.cwd(), path)}\n`);
} catch (error) {
  if (!(error instanceof NewComponentError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
