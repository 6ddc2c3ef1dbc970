// Software update: how many commands are accepted in a second, and what an installation of 100 tiny modules takes beside
// what their scripts take by themselves. A real `gantry up` on the embedded broker and on Mosquitto.

import { execFileSync } from "node:child_process";
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "../host/testing/wait-for.ts";
import { Backend } from "../test/plugins/software-update/backend.ts";
import { median, row } from "./figures.ts";

const commands = 2000;
const modules = 100;
const script = "exit 0\n";

for (const embedded of [true, false]) {
  const backend = await Backend.start({ embedded });
  try {
    say("the disk itself: one synced write", `${syncMs().toFixed(2)} ms`);
    const { accepted, seconds } = await acceptMany(backend);
    say(`commands accepted a second, ${embedded ? "embedded broker" : "Mosquitto"}`, (accepted / seconds).toFixed(0));
    const own = scriptsAlone();
    say(`the ${modules} scripts by themselves`, `${own.toFixed(2)} s`);
    for (const round of ["first", "second"]) {
      const took = await installMany(backend, round);
      const beside = ((took - own) / modules) * 1000;
      say(
        `install of ${modules} modules, ${round} time`,
        `${took.toFixed(2)} s, ${beside.toFixed(1)} ms a module beside its script`,
      );
    }
  } finally {
    await backend[Symbol.asyncDispose]();
  }
}

function say(what: string, figure: string): void {
  console.log(row(what, figure));
}

/** Resolves when so many messages have come from now on; looks at each of them once. */
async function hear(backend: Backend, isIt: (heard: { topic: string; text: string }) => boolean, count: number) {
  let at = backend.device.heard.length;
  let left = count;
  await waitFor(
    `${count} messages`,
    () => {
      for (; at < backend.device.heard.length; at++) if (isIt(backend.device.heard[at]!)) left -= 1;
      return left <= 0;
    },
    300_000,
  );
}

/** Commands without modules, sent as fast as the broker takes them; over when the last one is answered. */
async function acceptMany(backend: Backend): Promise<{ accepted: number; seconds: number }> {
  const begun = performance.now();
  const answered = hear(backend, ({ topic }) => topic.startsWith("command///res/b-"), commands);
  await Promise.all(
    Array.from({ length: commands }, (_, n) =>
      backend.device.command(
        "install",
        { correlationId: `b${n}` },
        { feature: "SoftwareUpdatable", requestId: `b-${n}` },
      ),
    ),
  );
  await answered;
  const seconds = (performance.now() - begun) / 1000;
  await backend.install("after", backend.scripted("after", script));
  await backend.finished("after");
  return { accepted: commands, seconds };
}

async function installMany(backend: Backend, id: string): Promise<number> {
  const many = Array.from({ length: modules }, (_, n) => backend.scripted(`m${n}`, script));
  const begun = performance.now();
  const ended = hear(backend, ({ text }) => text.includes('"status":"FINISHED_SUCCESS"'), modules);
  await backend.install(id, ...many);
  await ended;
  return (performance.now() - begun) / 1000;
}

/** Median of so many. */
function syncMs(): number {
  const directory = mkdtempSync(join(tmpdir(), "gantry-bench-syncs-"));
  const file = openSync(join(directory, "file"), "w");
  try {
    const took = Array.from({ length: 300 }, () => {
      const begun = performance.now();
      writeSync(file, "x".repeat(4096));
      fdatasyncSync(file);
      return performance.now() - begun;
    });
    return median(took);
  } finally {
    closeSync(file);
    rmSync(directory, { recursive: true });
  }
}

/** The same scripts, one after the other, started by this process. */
function scriptsAlone(): number {
  const directory = mkdtempSync(join(tmpdir(), "gantry-bench-scripts-"));
  try {
    writeFileSync(join(directory, "install.sh"), script);
    const begun = performance.now();
    for (let n = 0; n < modules; n++) execFileSync("/bin/sh", ["install.sh"], { cwd: directory });
    return (performance.now() - begun) / 1000;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
