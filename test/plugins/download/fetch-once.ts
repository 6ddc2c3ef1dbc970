// A process that does one download, to be watched from outside: its arguments are the URL and the folder.

import { runStep, stepContext } from "../../support/step-context.ts";

const [url, directory] = process.argv.slice(2) as [string, string];
using context = stepContext();
await runStep("download", "fetch", { url, directory, allowWeakChecksums: true }, context);
