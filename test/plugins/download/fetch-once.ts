// A process that downloads a file, to be watched from outside: its arguments are URL, folder and, if need be, the names
// that the file is to have, one after the other.

import { setUpStep, stepContext } from "../../support/step-context.ts";

const [url, directory, ...names] = process.argv.slice(2) as [string, string, ...string[]];
using context = stepContext();
const fetch = await setUpStep("download", "fetch", context);
for (const filename of names.length > 0 ? names : [undefined]) {
  const named = filename === undefined ? {} : { filename };
  await fetch({ url, directory, ...named, allowWeakChecksums: true });
}
