// What programs tell of their progress.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { parseStatus } from "../../../plugins/script/status.ts";
import { type Running, running } from "./running.ts";

// The program waits for its reader before it goes on, so that nothing depends on who is faster.
async function following(step: Running, line: string, input = {}) {
  const seen: unknown[] = [];
  const { reports } = step.context;
  const timer = setInterval(() => {
    while (seen.length < reports.length) {
      seen.push(reports[seen.length]);
      writeFileSync(step.file(`seen-${seen.length}`), "");
    }
  }, 5);
  try {
    return {
      result: await step.shell(`seen() { while [ ! -e seen-$1 ]; do sleep 0.01; done; }\n${line}`, input),
      seen,
    };
  } finally {
    clearInterval(timer);
  }
}

test("a status file that is written in place, and one that is renamed, are both followed", async () => {
  using step = running();
  const { result, seen } = await following(
    step,
    String.raw`
    printf 'progress=10\n' > status; seen 1
    printf 'message=half way\nprogress=50\n' > status; seen 2
    printf 'message=nearly\nstatusCode=7\nprogress=90\n' > new; mv new status; seen 3
    printf 'message=done\nprogress=100\n' > new; mv new status; seen 4
    printf 'message=really done\nprogress=100\n' > status`,
  );
  assert.deepEqual(seen.slice(0, 4), [
    { percent: 10 },
    { percent: 50, message: "half way" },
    { percent: 90, message: "nearly", details: { statusCode: "7" } },
    { percent: 100, message: "done" },
  ]);
  // What comes at the very end is read, too.
  assert.deepEqual(step.context.reports.at(-1), { percent: 100, message: "really done" });
  assert.deepEqual(result.status, { message: "really done", progress: 100 });
});

test("lines on descriptor 3 are followed, each adding to those before", async () => {
  using step = running();
  const { result, seen } = await following(
    step,
    `echo "progress=10" >&$GANTRY_STATUS_FD; seen 1
     echo "nonsense" >&3; echo "progress=200" >&3; echo "progress=x" >&3
     echo "message=half way" >&3; seen 2
     echo "progress=50" > /dev/fd/3; seen 3`,
    { statusFrom: "descriptor" },
  );
  assert.deepEqual(seen, [{ percent: 10 }, { percent: 10, message: "half way" }, { percent: 50, message: "half way" }]);
  assert.deepEqual(result.status, { message: "half way", progress: 50 });
  assert.equal(result.output, "");
});

test("without that, a program has no descriptor 3, and nothing is read from nowhere", async () => {
  using step = running();
  const { output } = await step.shell(
    "for n in 3 4; do [ -e /proc/$$/fd/$n ] && echo $n; done; echo $GANTRY_STATUS_FD",
  );
  assert.equal(output, "");
  const { status } = await step.shell("printf 'progress=5\\n' > status", { statusFrom: "nowhere" });
  assert.deepEqual(status, {});
});

test("a status of another name, one that nobody writes, and one that an earlier program has left", async () => {
  using step = running();
  const named = await step.shell("printf 'progress=5\\n' > my.status", { statusFile: "my.status" });
  assert.deepEqual(named.status, { progress: 5 });
  step.write("status", "message=of an earlier program\nprogress=100\n");
  assert.deepEqual((await step.run(["true"])).status, {});
  // The same words, written anew.
  assert.deepEqual((await step.shell("cat status > s; cat s > status")).status.progress, 100);
  for (const statusFile of ["", "..", "a/b", "a\0b"])
    assert.equal((await step.refused(["true"], { statusFile })).code, "SCRIPT_STATUS_NAME_INVALID");
});

test("a status is in the failure, too", async () => {
  using step = running();
  const failure = await step.refused(["/bin/sh", "-c", "printf 'message=no room\\nstatusCode=28\\n' > status; exit 3"]);
  assert.equal(failure.code, "SCRIPT_FAILED");
  assert.deepEqual(failure.details!.status, { message: "no room", statusCode: "28" });
});

test("what is no status is ignored: JSON cut off, too much, a folder, a link, a pipe that nobody writes to", async () => {
  using step = running();
  const lines = [
    `printf '{"progress": 5' > status`,
    "printf 'progress=5' > status",
    "printf 'progress=101\\nmessage=x\\n' > status",
    "head -c 100000 /dev/zero | tr '\\0' x > status; echo >> status; echo progress=5 >> status",
    "rm -f status; mkdir status",
    "rmdir status; echo progress=5 > other; ln -s other status",
    "rm status; mkfifo status",
  ];
  for (const line of lines) assert.deepEqual((await step.shell(line)).status, {}, line);
  assert.deepEqual(step.context.reports, []);
});

test("a folder that disappears while the program runs does no harm", async () => {
  using step = running();
  const directory = step.file("work");
  mkdirSync(directory);
  const { status } = await step.shell("printf 'progress=5\\n' > status; rm -r ../work", { directory });
  assert.ok(status.progress === undefined || status.progress === 5);
});

test("of a status the last line of each kind counts, and line ends of both kinds are understood", () => {
  const cases: [string, unknown][] = [
    ["message=a\nmessage=b\n", { message: "b" }],
    ["message=a=b\r\nprogress=0\r\n", { message: "a=b", progress: 0 }],
    ["unknown=1\nstatusCode=\n", { statusCode: "" }],
    ["unknown=1\n", undefined],
    ["message=a", undefined],
    ["", undefined],
    ["progress=-1\nmessage=a\n", undefined],
    ["progress=1.5\n", undefined],
    ["progress=\n", undefined],
    [" progress=1\nmessage=a\n", { message: "a" }],
  ];
  for (const [text, status] of cases) assert.deepEqual(parseStatus(text), status, JSON.stringify(text));
});
