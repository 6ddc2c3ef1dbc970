// A process that unpacks an archive, to be watched from outside: its arguments are the archive and the folder. When it
// has said what the step gave, it stays until its standard input ends.

import { once } from "node:events";
import { runStep, stepContext } from "../../support/step-context.ts";

const [path, directory] = process.argv.slice(2) as [string, string];
using context = stepContext();
const output = await runStep("archive", "extract", { path, directory, maxRatio: 1e6 }, context);
console.log(JSON.stringify(output));
await once(process.stdin.resume(), "end");
