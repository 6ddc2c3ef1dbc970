// Who answers a command: two workflows that are started by the same one would both do so.

import type { VerbCatalogue } from "../documents/catalogue.ts";
import { type Document, faultAt } from "../documents/document.ts";
import type { Fault } from "../documents/fault.ts";
import { compileSound } from "../documents/schema-check.ts";
import type { LoadedWorkflow } from "../engine/workflow.ts";
import { compile, evaluate, hasExpression, parseText } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";

export class CommandOwners {
  readonly #catalogue: VerbCatalogue;
  readonly #owners = new Map<string, string>();

  constructor(catalogue: VerbCatalogue) {
    this.#catalogue = catalogue;
  }

  /** The faults of an active workflow whose commands another one has already. */
  add(document: Document, { name, document: { on = [] } }: LoadedWorkflow): Fault[] {
    const faults: Fault[] = [];
    for (const [index, { trigger, with: settings = {} }] of on.entries()) {
      const command = this.#commandOf(trigger, settings as JsonObject);
      if (command === undefined) continue;
      const owner = this.#owners.get(command);
      this.#owners.set(command, owner ?? name);
      if (owner === undefined) continue;
      const message =
        owner === name ? "an item before this one is the same command" : `${owner} is already started by this command`;
      faults.push(faultAt(document, `/on/${index}`, { code: "TRIGGER_DUPLICATE", message, where: "object" }));
    }
    return faults;
  }

  /** Undefined for a trigger that takes no commands. Settings that follow from the configuration count as what they give. */
  #commandOf(trigger: string, settings: JsonObject): string | undefined {
    const { with: schema = {}, command, trusted } = this.#catalogue.triggers.get(trigger) ?? {};
    if (command === undefined) return undefined;
    const filled = structuredClone(settings);
    compileSound(schema, { defaults: true, trusted: trusted ?? false })?.(filled);
    return JSON.stringify([trigger, ...command.map((name) => sorted(this.#valueOf(filled[name] ?? null)))]);
  }

  #valueOf(setting: Json): Json {
    if (typeof setting !== "string" || !hasExpression(setting)) return setting;
    const { config } = this.#catalogue;
    const isKnown = parseText(setting).references.every(({ path }) => path[0] === "config");
    try {
      return isKnown ? evaluate(compile(setting), { config }) : setting;
    } catch {
      return setting;
    }
  }
}

function sorted(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).map(([key, inner]): [string, Json] => [key, sorted(inner!)]);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}
