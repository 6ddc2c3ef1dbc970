// How an example has ended, in a form in which two ends can be compared.

import { compileSchema } from "../documents/schema-check.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { TestRun } from "../testing/test-run.ts";
import { differences, inventory } from "./example-folder.ts";
import type { Example } from "./examples.ts";

export interface Outcome {
  status: string;
  code: string | undefined;
  output: Json;
  /** What is in the example's folder. */
  files: Record<string, string>;
}

/**
 * `folder` is the one that the example was in. It and the run's id are the same word for every run; the run's own folder goes
 * with it and does not count.
 */
export function outcomeOf(run: TestRun, example: Example, folder: string): Outcome {
  const output = JSON.parse(JSON.stringify(run.output).replaceAll(folder, "FOLDER").replaceAll(run.id, "RUN")) as Json;
  return {
    status: run.status,
    code: run.error?.code,
    output: without(output, example.varies ?? []),
    files: inventory(folder),
  };
}

/** In words, how the second one differs from the first. */
export function changes(first: Outcome, second: Outcome): string[] {
  const endOf = ({ status, code }: Outcome) => (code === undefined ? status : `${status} with ${code}`);
  const [before, after] = [JSON.stringify(first.output), JSON.stringify(second.output)];
  return [
    ...(endOf(first) === endOf(second) ? [] : [`the run has ${endOf(second)} instead of ${endOf(first)}`]),
    ...(before === after ? [] : [`the result is ${cut(after)} instead of ${cut(before)}`]),
    ...differences(first.files, second.files),
  ];
}

/** What of a result is not as the manifest and the example say; `undefined` members count as missing. */
export function resultProblems(output: Json, example: Example): string[] {
  const given = (output ?? {}) as JsonObject;
  const expected = Object.entries(example.outputs ?? {});
  return [
    ...undeclared(output, example.output),
    ...expected
      .filter(([name, value]) => JSON.stringify(given[name]) !== JSON.stringify(value))
      .map(
        ([name, value]) =>
          `its ${name} is ${cut(JSON.stringify(given[name]))} instead of ${cut(JSON.stringify(value))}`,
      ),
  ];
}

/** A schema that leaves itself open is still no leave to return what it does not name: no workflow could read that. */
function undeclared(output: Json, schema: JsonObject = { type: "object" }): string[] {
  const closed = schema.properties === undefined && schema.additionalProperties === undefined ? { properties: {} } : {};
  const strict = { ...schema, ...closed, additionalProperties: schema.additionalProperties ?? false };
  return compileSchema(strict)(output).map(
    ({ pointer, message }) => `its result, by its schema: ${pointer} ${message}`,
  );
}

function without(output: Json, names: string[]): Json {
  if (typeof output !== "object" || output === null || Array.isArray(output)) return output;
  return Object.fromEntries(Object.entries(output).filter(([name]) => !names.includes(name)));
}

const cut = (text: string | undefined) => {
  const words = text ?? "missing";
  return words.length > 300 ? `${words.slice(0, 300)}...` : words;
};
