// A process that does one download, to be watched from outside: its arguments are URL, folder and, if need be, name.

import { runStep, stepContext } from "../../support/step-context.ts";

const [url, directory, filename] = process.argv.slice(2) as [string, string, string | undefined];
using context = stepContext();
const named = filename === undefined ? {} : { filename };
await runStep("download", "fetch", { url, directory, ...named, allowWeakChecksums: true }, context);
