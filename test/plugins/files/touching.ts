// The steps of the plugin in a folder of their own, and a look at what is there afterwards.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Json, JsonObject } from "../../../host/sdk.ts";
import { failureOf, runStep, stepContext } from "../../support/step-context.ts";
import { treeOf } from "../../support/tree-of.ts";

export function touching(files: Record<string, string> = {}) {
  const context = stepContext();
  // Not in the run's own folder, where everything is allowed.
  const place = mkdtempSync(join(tmpdir(), "gantry-files-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(place, name)), { recursive: true });
    writeFileSync(join(place, name), content);
  }
  const run = <Output = JsonObject>(step: string, input: JsonObject, config: JsonObject = {}) =>
    runStep<Output>("files", step, input, context, config);
  return {
    context,
    place,
    path: (name: string) => join(place, name),
    run,
    failure: (step: string, input: JsonObject, config: JsonObject = {}) => failureOf("files", run(step, input, config)),
    refused: async (step: string, input: JsonObject, config: JsonObject = {}) =>
      (await failureOf("files", run(step, input, config))).code,
    /** The next attempt after a crash: the same, and what the last one has remembered. */
    again: (step: string, input: JsonObject) =>
      runStep("files", step, input, { ...context, lastCheckpoint: context.checkpoints.at(-1) as Json }),
    files: () => treeOf(place),
    [Symbol.dispose]() {
      rmSync(place, { recursive: true });
      context[Symbol.dispose]();
    },
  };
}
