// Workflows that call others: is the other one there, may it be called, and does it not lead back?

import type { CallableWorkflow, VerbCatalogue } from "./catalogue.ts";
import type { Checking } from "./checking.ts";
import { meant, type Shape } from "./shapes.ts";

type Workflows = ReadonlyMap<string, CallableWorkflow>;

/** The name in `workflow:<name>`. */
export function calledName(uses: string): string | undefined {
  return uses.startsWith("workflow:") ? uses.slice("workflow:".length) : undefined;
}

export function checkCalled(checking: Checking, pointer: string, name: string): void {
  const { workflows } = checking.catalogue;
  if (workflows === undefined) return;
  const called = workflows.get(name);
  if (called === undefined) {
    const plain = name.trim().replace(/\.json$/, "");
    const { suggestion } = workflows.has(plain) ? { suggestion: plain } : meant(plain, workflows.keys());
    checking.report(pointer, {
      code: "WORKFLOW_NOT_FOUND",
      message: `no workflow is called ${name !== "" && name === name.trim() ? name : JSON.stringify(name)}`,
      ...(suggestion === undefined ? {} : { suggestion: `workflow:${suggestion}` }),
    });
  } else if (called.hasTriggers) {
    const message = `${name} is started by its own \`on\` and cannot be called`;
    checking.report(pointer, { code: "WORKFLOW_NOT_CALLABLE", message });
  }
}

/** What `with` is held against, and what is known of the outputs. */
export function calledEntry(name: string, { workflows }: VerbCatalogue): { input: Shape; output: Shape } | undefined {
  const called = workflows?.get(name);
  return called && { input: called.inputs, output: called.outputs ?? {} };
}

const ofStarted = ["enabled", "concurrency", "requires", "window", "limits"] as const;

/** A note at what holds for runs of their own only, in a workflow that others call. */
export function checkEffect(checking: Checking, name: string, given: object): void {
  const caller = callersOf(checking.catalogue.workflows).get(name);
  if (caller === undefined) return;
  for (const member of ofStarted)
    if (Object.hasOwn(given, member)) {
      const message = `\`${member}\` has no effect where ${caller} calls this workflow; what ${caller} says holds then`;
      checking.report(`/${member}`, { code: "MEMBER_WITHOUT_EFFECT", message, where: "key", severity: "note" });
    }
}

const knownCallers = new WeakMap<Workflows, ReadonlyMap<string, string>>();

/** By the name of what is called, one that calls it. */
function callersOf(workflows: Workflows | undefined): ReadonlyMap<string, string> {
  if (workflows === undefined) return new Map();
  let callers = knownCallers.get(workflows);
  if (callers === undefined) {
    callers = new Map([...workflows].flatMap(([caller, { calls }]) => calls.map((called) => [called, caller])));
    knownCallers.set(workflows, callers);
  }
  return callers;
}

/** The way from a workflow back to itself, if there is one. */
export function circleFrom(name: string, workflows: Workflows): string[] | undefined {
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
