import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { StartedFiles } from "../../../plugins/file-upload/started-files.ts";

const names = Array.from({ length: 200 }, (_, n) => `file-${n}`);
const never = new AbortController().signal;

/** What a promise is once everything that can go on has gone on. */
async function stateOf(promise: Promise<void>): Promise<string> {
  let state = "waiting";
  promise.then(
    () => {
      state = "done";
    },
    (error: Error) => {
      state = error.message;
    },
  );
  for (let count = 0; count < 10; count++) await turn();
  return state;
}

test("a hub that starts all it is asked for is asked for more once few files are under way", async () => {
  const started = new StartedFiles();
  using page = started.page(names);
  // Before it is waited for, too: the first may have ended by then.
  for (const name of names.slice(0, 50)) started.hear(name);
  started.forget(names.slice(0, 10));
  for (const name of names.slice(50)) started.hear(name);
  const done = page.done(never);
  assert.equal(await stateOf(done), "waiting");
  started.forget(names.slice(10, 100));
  assert.equal(await stateOf(done), "waiting", "100 are under way");
  started.forgetAll((name) => name === "file-100");
  assert.equal(await stateOf(done), "done");
});

test("a hub that starts none is asked for more all the same", async () => {
  using page = new StartedFiles().page(names);
  await page.done(never);
});

test("waiting ends with the run", async () => {
  const started = new StartedFiles();
  for (const name of names) started.hear(name);
  using page = started.page(names);
  const controller = new AbortController();
  const done = page.done(controller.signal);
  assert.equal(await stateOf(done), "waiting");
  controller.abort(new Error("told to end"));
  assert.equal(await stateOf(done), "told to end");
});
