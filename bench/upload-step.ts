// The step `put` alone, as the host calls it, without a journal: node bench/upload-step.ts STEP FOLDER AT_A_TIME.
// STEP is the JSON of a step whose texts may hold `${{ name }}`. Says the seconds on standard error.

import { readdirSync } from "node:fs";
import type { JsonObject } from "../host/sdk.ts";
import { setUpStep, stepContext } from "../test/support/step-context.ts";

const [step, folder, atATime] = process.argv.slice(2) as [string, string, string];
const { uses } = JSON.parse(step) as { uses: string };
using context = stepContext();
const put = await setUpStep(uses.split("/")[0]!, "put", context);
const waiting = readdirSync(folder).values();
const begun = performance.now();
const one = async () => {
  for (const name of waiting)
    await put((JSON.parse(step.replaceAll("${{ name }}", name)) as { with: JsonObject }).with);
};
await Promise.all(Array.from({ length: Number(atATime) }, one));
console.error((performance.now() - begun) / 1000);
process.exit();
