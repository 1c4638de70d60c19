import type {
  ComponentDefinition,
  Edge,
  WorkflowDefinitionDocument,
} from "../contracts/definition.ts";

/** An edge as seen from the component that it leads to. */
export interface IncomingEdge {
  /** Key of the component that the edge comes from. */
  from: string;
  edge: Edge;
}

/** A component with everything that decides whether it runs. */
export interface CompiledComponent {
  component: ComponentDefinition;
  incoming: readonly IncomingEdge[];
}

/** A definition indexed for the reducer. */
export interface CompiledDefinition {
  /** Every component after all that lead to it, starting with the entrypoints. */
  ordered: readonly CompiledComponent[];
  /** In the definition's order. */
  components: readonly ComponentDefinition[];
}

/**
 * Indexes a saved definition.
 *
 * @throws Error when its graph has a cycle, a dangling `next` or a duplicate key. Such a definition is refused
 *   when it is saved, so this is a bug or a row that something else wrote.
 */
export function compileDefinition(document: WorkflowDefinitionDocument): CompiledDefinition {
  const { components } = document;
  const incoming = new Map<string, IncomingEdge[]>(components.map(({ key }) => [key, []]));
  if (incoming.size !== components.length) throw new Error("A component key is there twice");
  for (const { key, next } of components) {
    for (const edge of next) {
      const edges = incoming.get(edge.to);
      if (edges === undefined) throw new Error(`Component '${key}' leads to unknown '${edge.to}'`);
      edges.push({ from: key, edge });
    }
  }
  const compiled = components.map((component) => ({
    component,
    incoming: incoming.get(component.key) ?? [],
  }));
  return { ordered: sortTopologically(compiled), components };
}

function sortTopologically(compiled: readonly CompiledComponent[]): CompiledComponent[] {
  const waitingFor = new Map(compiled.map((each) => [each.component.key, each.incoming.length]));
  const byKey = new Map(compiled.map((each) => [each.component.key, each]));
  const ordered = compiled.filter((each) => each.incoming.length === 0);
  // The list grows while it is walked: a component is appended once the last one that leads to it is reached.
  for (const { component } of ordered) {
    for (const { to } of component.next) {
      const left = (waitingFor.get(to) ?? 0) - 1;
      waitingFor.set(to, left);
      const target = byKey.get(to);
      if (left === 0 && target !== undefined) ordered.push(target);
    }
  }
  if (ordered.length !== compiled.length) throw new Error("The definition has a cycle");
  return ordered;
}
