// A workflow that calls another one: is it there, may it be called, and does it not lead back?

import { nearest } from "../nearest.ts";
import type { JsonObject } from "../sdk.ts";
import type { VerbCatalogue } from "./catalogue.ts";
import { type Document, faultAt } from "./document.ts";
import type { Fault } from "./fault.ts";
import { closed } from "./visible.ts";

export function checkCalled(document: Document, pointer: string, name: string, catalogue: VerbCatalogue): Fault[] {
  const { workflows } = catalogue;
  if (workflows === undefined) return [];
  const called = workflows.get(name);
  if (called === undefined) {
    const suggestion = nearest(name, workflows.keys());
    const meant = suggestion === undefined ? {} : { suggestion: `workflow:${suggestion}` };
    const message = `no workflow is called ${name}`;
    return [faultAt(document, pointer, { code: "WORKFLOW_NOT_FOUND", message, ...meant })];
  }
  if (!called.hasTriggers) return [];
  const message = `${name} is started by its own \`on\` and cannot be called`;
  return [faultAt(document, pointer, { code: "WORKFLOW_NOT_CALLABLE", message })];
}

/** What `with` is held against, and what is known of the outputs. */
export function calledEntry(
  name: string,
  { workflows }: VerbCatalogue,
): { input: JsonObject | undefined; output: JsonObject | undefined } | undefined {
  const called = workflows?.get(name);
  if (called === undefined) return undefined;
  return { input: called.inputs ?? closed({}), output: called.outputs };
}

/** The way from a workflow back to itself, if there is one. */
export function circleFrom(name: string, workflows: NonNullable<VerbCatalogue["workflows"]>): string[] | undefined {
  const visited = new Set<string>();
  const search = (at: string, way: string[]): string[] | undefined => {
    for (const next of workflows.get(at)?.calls ?? []) {
      if (next === name) return [...way, next];
      if (visited.has(next)) continue;
      visited.add(next);
      const found = search(next, [...way, next]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return search(name, [name]);
}
