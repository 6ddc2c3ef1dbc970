import assert from "node:assert/strict";
import { test } from "node:test";
import { running } from "./running.ts";

test("a variable that would make other code run before the program is refused, and nothing is started", async () => {
  using step = running();
  for (const name of ["LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "SHELLOPTS"])
    await assert.rejects(
      step.shell("touch begun", { environment: { [name]: "x" } }),
      new RegExp(`script/run.*${name}`),
    );
  assert.deepEqual(step.context.groups, []);
  assert.ok(!step.exists("begun"));
});

test("names that only look alike are allowed, and so is such a variable behind env", async () => {
  using step = running();
  const { output } = await step.run(
    [
      "/usr/bin/env",
      "LD_LIBRARY_PATH=/nowhere",
      "/bin/sh",
      "-c",
      'echo "$ENV $OLD_PATH $SHELLOPTS_X $LD_LIBRARY_PATH"',
    ],
    { environment: { ENV: "production", OLD_PATH: "old", SHELLOPTS_X: "more" } },
  );
  assert.equal(output, "production old more /nowhere");
});
