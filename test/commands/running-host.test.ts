// Commands beside a running host, through its control socket, and without one.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openStoreForReading } from "../../host/store/open.ts";
import type { Run } from "../../host/store/store.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { type HostFolder, HostProcess, makeHostFolder } from "../support/host-process.ts";
import { gantry } from "./gantry.ts";

const main = fileURLToPath(new URL("../../host/main.ts", import.meta.url));
const workflows = {
  quick: { name: "quick", steps: [], outputs: { done: true } },
  patient: {
    name: "patient",
    steps: [{ id: "w", uses: "host/wait", with: { for: "go ${{ run.id }}" } }],
    finally: [{ uses: "host/signal", with: { name: "cleaned" } }],
    outputs: "${{ steps.w.outputs.value }}",
  },
  alone: {
    name: "alone",
    concurrency: { group: "alone" },
    steps: [{ uses: "host/wait", with: { for: "let one alone go" } }],
  },
};

let root: string;
let folder: HostFolder;
let host: HostProcess;

before(async () => {
  root = await mkdtemp(join(tmpdir(), "gantry-control-"));
  folder = await makeHostFolder(root, { workflows: ["./workflows"], plugins: [] }, workflows);
  host = new HostProcess(folder);
  await host.ready();
  await waitFor("the socket", () =>
    stat(join(folder.data, "control.sock")).then(
      () => true,
      () => false,
    ),
  );
});
after(async () => {
  await host.stop();
  await rm(root, { recursive: true });
});

const run = (command: string, ...args: string[]) =>
  gantry(command, ...args, "--config", folder.config, "--data", folder.data);

function runsOf(workflow: string): Run[] {
  const reader = openStoreForReading(folder.data);
  try {
    return reader.runs.list({ workflow });
  } finally {
    reader.close();
  }
}

/** Starts a patient run and gives its id once it waits. */
async function startPatient(): Promise<{ id: string; ended: Promise<{ code: number | null; stdout: string }> }> {
  const before = runsOf("patient").length;
  const ended = run("run", "patient");
  const started = await waitFor("the run that waits", () => {
    const [newest, ...others] = runsOf("patient");
    return others.length === before && newest?.status === "waiting" && newest;
  });
  return { id: started.id, ended };
}

test("the socket is for the host's own user only", async () => {
  assert.equal((await stat(join(folder.data, "control.sock"))).mode & 0o777, 0o600);
});

test("a run is carried out by the host that has the data folder", async () => {
  const { code, stdout } = await run("run", "quick");
  assert.equal(code, 0, stdout);
  assert.match(stdout, /quick succeeded/);
  assert.match(stdout, /"done": true/);
  const unknown = await run("run", "quikc");
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /WORKFLOW_UNKNOWN.*|quick/);
});

test("a signal is heard by the run that waits for it, with its value", async () => {
  const { id, ended } = await startPatient();
  const sent = await run("signal", `go ${id}`, "--value", '{"by":"me"}', "--json");
  assert.equal(sent.code, 0, sent.stderr);
  assert.equal((JSON.parse(sent.stdout) as { received: boolean }).received, true);
  const { code, stdout } = await ended;
  assert.equal(code, 0);
  assert.match(stdout, /"by": "me"/);
});

test("a cancel ends a run with its clean-up, by the beginning of its id; an ended one is not cancelled", async () => {
  const { id, ended } = await startPatient();
  const { code, stdout } = await run("cancel", id);
  assert.equal(code, 0, stdout);
  assert.match(stdout, new RegExp(id));
  assert.equal((await ended).code, 1);
  const [cancelled] = runsOf("patient");
  assert.deepEqual([cancelled!.status, cancelled!.error?.code], ["cancelled", "RUN_CANCELLED"]);
  const again = await run("cancel", id);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /RUN_ENDED/);
  const nobody = await run("cancel", "ffff");
  assert.match(nobody.stderr, /RUN_UNKNOWN/);
});

test("a run that has to wait for its turn says so", async () => {
  const first = run("run", "alone");
  await waitFor("the first run", () => runsOf("alone").some(({ status }) => status === "waiting"));
  const second = run("run", "alone");
  await waitFor("the second run", () => runsOf("alone").some(({ status }) => status === "queued"));
  await run("signal", "let one alone go");
  const outcome = await first;
  assert.doesNotMatch(outcome.stdout, /queued/);
  // It hears the same signal, which came but a moment before.
  const { code, stdout } = await second;
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^ {2}◷ queued: /);
});

test("a retry is a new run with the same input, which knows what it repeats", async () => {
  const [first] = runsOf("quick");
  const { code, stdout } = await run("retry", first!.id, "--json");
  assert.equal(code, 0, stdout);
  const [second] = runsOf("quick");
  assert.notEqual(second!.id, first!.id);
  assert.equal(second!.retryOf, first!.id);
  const { id, ended } = await startPatient();
  const early = await run("retry", id);
  assert.equal(early.code, 1);
  assert.match(early.stderr, /RUN_NOT_ENDED/);
  await run("cancel", id);
  await ended;
});

test("plugin list, doctor and plan ask the host", async () => {
  const listed = await run("plugin", "list", "--json");
  assert.equal(listed.code, 0, listed.stderr);
  assert.deepEqual(
    listed.stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { name: string; state: string }).state),
    ["active"],
  );
  const examined = await run("doctor");
  assert.equal(examined.code, 0, examined.stdout);
  assert.match(examined.stdout, new RegExp(`^✓ host: runs as process ${host.pid} and answers$`, "m"));
  const planned = await run("plan", "patient");
  assert.equal(planned.code, 0, planned.stderr);
  assert.match(planned.stdout, /w \(host\/wait\)/);
});

test("runs --follow goes on with what begins and changes, until it is interrupted", async () => {
  const child = spawn(process.execPath, [main, "runs", "--follow", "--json", "--data", folder.data], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  await waitFor("the list", () => text.split("\n").length > runsOf("quick").length);
  const before = text.length;
  const { stdout } = await run("run", "quick", "--json");
  const { id } = JSON.parse(stdout.trim().split("\n").at(-1)!) as { id: string };
  await waitFor(
    "the new run",
    () => text.slice(before).includes(`"id":"${id}"`) && /"succeeded"/.test(text.slice(before)),
  );
  child.kill("SIGINT");
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
});

test("a cancel given while the host is stopped takes effect at the next start, with its clean-up", async () => {
  const { id, ended } = await startPatient();
  await host.stop();
  await ended;
  const { code, stdout } = await run("cancel", id, "--json");
  assert.equal(code, 0);
  assert.equal((JSON.parse(stdout) as { takesEffect: string }).takesEffect, "at the next start");
  assert.equal(runsOf("patient").find((one) => one.id === id)!.endedAt, null);
  assert.match((await run("show", id)).stdout, /ends as soon as a host has cleaned up after it: .* \(RUN_CANCELLED\)/);
  host = new HostProcess(folder);
  await host.ready();
  const cancelled = await waitFor("the end", () =>
    runsOf("patient").find((one) => one.id === id && one.endedAt !== null),
  );
  assert.equal(cancelled.status, "cancelled");
  const reader = openStoreForReading(folder.data);
  const cleaned = reader.runs.journal(id).some(({ path, kind }) => path === "finally/0" && kind === "succeeded");
  reader.close();
  assert.ok(cleaned, "no clean-up");
});

test("a plugin from outside that has changed is refused until it is accepted, and then started again", async () => {
  const outside = await mkdtemp(join(tmpdir(), "gantry-accept-"));
  const write = (name: string, content: unknown) =>
    writeFile(join(outside, name), typeof content === "string" ? content : JSON.stringify(content));
  try {
    await mkdir(join(outside, "lamp"));
    await write("plugins.json", { plugins: [{ plugin: "./lamp" }] });
    await write("lamp/package.json", { type: "module" });
    await write("lamp/plugin.json", { name: "lamp", version: "1.0.0", host: "^1.0.0", main: "index.js" });
    await write("lamp/index.js", "export default { setup: () => ({}) };\n");
    const places = ["--config", join(outside, "plugins.json"), "--data", join(outside, "data")];
    const lampOf = async () => {
      const { stdout } = await gantry("plugin", "list", ...places, "--json");
      const all = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { name: string; state: string; code?: string });
      return all.find(({ name }) => name === "lamp")!;
    };
    const start = async () => {
      const made = new HostProcess({
        directory: outside,
        config: join(outside, "plugins.json"),
        data: join(outside, "data"),
      });
      await made.ready();
      return made;
    };
    let own = await start();
    try {
      await waitFor("the plugin", async () => (await lampOf()).state === "active");
      await own.stop();
      await write("lamp/index.js", "export default { setup: () => ({ steps: {} }) };\n");
      own = await start();
      assert.equal((await lampOf()).code, "PLUGIN_CHANGED");
      const unknown = await gantry("plugin", "accept", "lmap", ...places);
      assert.equal(unknown.code, 1);
      assert.match(unknown.stderr, /lamp\?.*PLUGIN_UNKNOWN/);
      const accepted = await gantry("plugin", "accept", "lamp", ...places);
      assert.deepEqual([accepted.code, accepted.stderr], [0, ""], accepted.stdout);
      assert.equal((await lampOf()).state, "active");
    } finally {
      await own.stop();
    }
  } finally {
    await rm(outside, { recursive: true });
  }
});
