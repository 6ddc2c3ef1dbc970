// Tries a step twice, in a process of its own. How an attempt ended stands in one line of output; the next one begins when
// a line of input comes, so that whoever watches can look at what there is.

import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { failureOf, setUpStep, stepContext } from "./step-context.ts";

const { plugin, step, input, root } = JSON.parse(process.argv[2]!);
const context = stepContext({ directory: join(root, "host") });
const run = await setUpStep(plugin, step, context);
const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
for (let attempt = 0; attempt < 2; attempt++) {
  await lines.next();
  Object.assign(context, { lastCheckpoint: context.checkpoints.at(-1) });
  const running = run(input);
  const failure = await running.then(
    () => undefined,
    () => failureOf(plugin, running).catch((error: Error) => ({ code: error.message, retryable: false })),
  );
  const { code, retryable } = failure ?? {};
  console.log(JSON.stringify({ code, retryable }));
}
context[Symbol.dispose]();
// The plugin may have timers.
process.exit();
