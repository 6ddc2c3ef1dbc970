// A process that imports a plugin's module, without any permission, and tells what that did: import-probe.ts MODULE. The
// report is JSON on descriptor 3; where there is none, the import has ended the process.

import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { refusalInWords, watchRefusals } from "../isolation/refusals.ts";
import { loadPlugin } from "../loading/in-process.ts";

/** Time for what an import leaves running to show itself. */
const settleMs = 100;

const did: string[] = [];
// Who asks for them first makes them; that is no deed.
void [process.stdout, process.stderr];
const before = surroundings();
watchRefusals((refusal) => did.push(`it tries ${refusalInWords(refusal)}`));
try {
  await loadPlugin(process.argv[2]!);
} catch (error) {
  did.push(`it fails: ${(error as Error).message}`);
}
await sleep(settleMs);
const after = surroundings();
for (const [what, found] of Object.entries(after)) {
  const left = [...before[what as keyof typeof before]];
  const more = found.filter((word) => {
    const at = left.indexOf(word);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
  if (more.length > 0) did.push(`it ${what} ${[...new Set(more)].join(", ")}`);
}
writeSync(3, JSON.stringify(did));
process.exit(0);

function surroundings() {
  return {
    "leaves at work:": process.getActiveResourcesInfo(),
    "adds to the globals": Object.getOwnPropertyNames(globalThis),
    "listens on the process for": process
      .eventNames()
      .flatMap((name) => process.listeners(name as "exit").map(() => String(name))),
    "changes the environment:": Object.entries(process.env).map(([name, value]) => `${name}=${value}`),
    "changes the folder to": [process.cwd()],
  };
}
