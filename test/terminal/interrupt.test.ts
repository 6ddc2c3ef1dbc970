// Real signals to real processes.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const interrupt = fileURLToPath(new URL("../../host/terminal/interrupt.ts", import.meta.url));

/** Says when it watches, when it was told, and ends when its standard input does. */
const program = `import { watchInterrupt } from ${JSON.stringify(interrupt)};
const interrupt = watchInterrupt();
const ended = new Promise((resolve) => process.stdin.resume().once("end", resolve));
console.log("watches");
const signal = await interrupt.told;
interrupt[Symbol.dispose]();
console.log("told", signal);
await ended;
console.log("ends");`;

async function start(): Promise<{ child: ChildProcess; line(): Promise<string> }> {
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const line = async () => {
    while (!text.includes("\n")) await once(child.stdout!, "data");
    const end = text.indexOf("\n");
    const found = text.slice(0, end);
    text = text.slice(end + 1);
    return found;
  };
  assert.equal(await line(), "watches");
  return { child, line };
}

test("a Ctrl-C that arrives twice, as under npm, is told once and does not end the process", async () => {
  const { child, line } = await start();
  child.kill("SIGINT");
  child.kill("SIGINT");
  assert.equal(await line(), "told SIGINT");
  child.kill("SIGINT");
  const closed = once(child, "close");
  child.stdin!.end();
  assert.equal(await line(), "ends");
  assert.deepEqual(await closed, [0, null]);
});

test("a further one, later, ends the process at once", async () => {
  const { child, line } = await start();
  child.kill("SIGTERM");
  assert.equal(await line(), "told SIGTERM");
  const exited = once(child, "exit");
  // However slow the machine is, one of these comes later than the echo of the first.
  const again = setInterval(() => child.kill("SIGTERM"), 200);
  assert.deepEqual(await exited, [null, "SIGTERM"]);
  clearInterval(again);
});
