// The examples of a manifest -> workflows that a host runs.

import type { PluginManifest, StepExample } from "../../schemas/plugin.types.ts";
import type { Json, JsonObject } from "../sdk.ts";

export interface Example extends StepExample {
  /** Distinguishes it from the others of the plugin; the name of its folder, workflows and path at the server. */
  number: number;
  uses: string;
  /** `plugin/step: what it shows`. */
  about: string;
  /** JSON Schema of the step's result. */
  output: JsonObject | undefined;
}

export function examplesOf({ name, steps = {} }: PluginManifest): Example[] {
  const found = Object.entries(steps).flatMap(([step, { examples = [], output }]) =>
    examples.map((example) => {
      const uses = `${name}/${step}`;
      return { ...example, uses, about: `${uses}: ${example.description}`, output: output as JsonObject | undefined };
    }),
  );
  return found.map((example, number) => ({ ...example, number }));
}

/** The id of the step that is tried, in its workflow. */
export const triedId = "tried";

export const runOf = ({ number }: Example) => `example-${number}`;
export const preparationOf = ({ number }: Example) => `example-${number}-before`;

/** By name: the run of each example, and what comes before it alone. */
export function workflowsOf(examples: Example[]): Record<string, object> {
  return Object.fromEntries(
    examples.flatMap((example) => {
      const { before = [], uses, with: input = {} } = example;
      const tried = { id: triedId, uses, with: input };
      const outputs = `\${{ steps.${triedId}.outputs }}`;
      return [
        [runOf(example), { inputs, steps: [...before, tried], outputs }],
        [preparationOf(example), { inputs, steps: before }],
      ];
    }),
  );
}

const inputs = {
  type: "object",
  required: ["directory", "server"],
  properties: { directory: { type: "string" }, server: { type: "string" } },
};

/** The plugins whose steps come before. */
export function preparingPlugins(examples: Example[]): string[] {
  const uses = examples.flatMap(({ before = [] }) =>
    before.map((step) => String((step as { uses?: Json }).uses ?? "")),
  );
  return [...new Set(uses.map((address) => address.split("/")[0]!))].filter((name) => name !== "");
}
