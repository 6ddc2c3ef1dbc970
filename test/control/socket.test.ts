// The control socket against clients that do not keep to the protocol; the host's answers are JSON-RPC 2.0.

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connectControl } from "../../host/control/client.ts";
import { startControl } from "../../host/control/server.ts";
import { catalogue } from "../../host/errors.ts";
import { type Host, startHost } from "../../host/host.ts";
import { readHost } from "../../host/loading/read-host.ts";
import { createLog } from "../../host/log.ts";
import { openStore } from "../../host/store/open.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { documents, sampleRun } from "../store/sample-run.ts";

let root: string;
let data: string;
let host: Host;

before(async () => {
  root = mkdtempSync(join(tmpdir(), "gantry-socket-"));
  data = join(root, "data");
  writeFileSync(join(root, "plugins.json"), JSON.stringify({ plugins: [] }));
  host = await startHost({
    documents: readHost(join(root, "plugins.json")),
    dataDirectory: data,
    log: createLog({ level: "silent" }),
  });
});
after(async () => {
  await host.stop();
  assert.ok(!existsSync(join(data, "control.sock")), "the socket outlives its host");
  rmSync(root, { recursive: true });
});

async function open(): Promise<{ socket: Socket; lines: string[]; text: () => string }> {
  const socket = createConnection(join(data, "control.sock"));
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
  });
  socket.on("error", () => {});
  await once(socket, "connect");
  return {
    socket,
    get lines() {
      return text.split("\n").filter((line) => line !== "");
    },
    text: () => text,
  };
}

async function ask(
  line: string,
): Promise<{ id: unknown; error?: { code: number; data?: { code?: string } }; result?: unknown }> {
  const client = await open();
  client.socket.write(`${line}\n`);
  await waitFor("an answer", () => client.text().includes("\n"));
  client.socket.destroy();
  return JSON.parse(client.text().split("\n")[0]!);
}

async function stillServes(): Promise<void> {
  using client = (await connectControl(data))!;
  const { pid } = await client.call<{ pid: number }>("host.info");
  assert.equal(pid, process.pid);
}

const request = (method: string, params: unknown = {}, id: unknown = 1) =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });

test("requests are answered under their id, with the standard codes where they are none", async () => {
  assert.equal((await ask(request("host.info"))).error, undefined);
  assert.equal((await ask("this is no JSON")).error?.code, -32700);
  assert.equal((await ask("[]")).error?.code, -32600);
  assert.equal((await ask('{"jsonrpc":"1.0","id":1,"method":"host.info"}')).error?.code, -32600);
  assert.equal((await ask(request("no.such"))).error?.code, -32601);
  assert.equal((await ask(request("__proto__"))).error?.code, -32601);
  assert.equal((await ask(request("runs.cancel", { run: 7 }))).error?.code, -32602);
  assert.equal((await ask(request("runs.cancel", { run: "x", more: 1 }))).error?.code, -32602);
  const failed = await ask(request("runs.cancel", { run: "00000000-0000-7000-8000-000000000000" }, "mine"));
  assert.equal(failed.id, "mine");
  assert.equal(failed.error?.data?.code, "RUN_UNKNOWN");
  await stillServes();
});

test("a line that never ends, a flood of garbage and half a line cost only their sender", async () => {
  const endless = await open();
  endless.socket.write(Buffer.alloc(8 << 20, "x"));
  await waitFor("the end of the connection", () => endless.socket.destroyed || endless.socket.readableEnded);
  const flood = await open();
  for (let count = 0; count < 2000; count++) flood.socket.write("garbage\n");
  await waitFor("answers", () => flood.lines.length > 100 || flood.socket.destroyed);
  flood.socket.destroy();
  const half = await open();
  half.socket.write('{"jsonrpc":"2.0",');
  await stillServes();
  half.socket.destroy();
});

/** What the host tells of one step, with a text of a kilobyte. */
const stepFacts = (number: number) =>
  ({ run: "r", path: `steps/${number}`, uses: "x".repeat(1000), attempt: 1, status: "running" }) as const;

test("a follower that never reads is cut off, and one that reads is told everything", async () => {
  const deaf = await open();
  const reader = await open();
  for (const { socket } of [deaf, reader]) socket.write(`${request("events.follow")}\n`);
  for (const client of [deaf, reader]) await waitFor("an answer", () => client.lines.length === 1);
  deaf.socket.pause();
  const told = 12_000;
  for (let number = 0; number < told; number++) {
    host.engine.emit("step", stepFacts(number));
    // A batch at a time, as one who reads needs a turn to do so.
    if (number % 100 === 0) await waitFor("the reader", () => reader.lines.length >= number - 100);
  }
  await waitFor("the reader", () => reader.lines.length === told + 1);
  const closed = once(deaf.socket, "close");
  deaf.socket.resume();
  await closed;
  assert.ok(deaf.lines.length < told, "the host has kept all of it for one that did not read");
  reader.socket.destroy();
  await waitFor("nobody who listens", () => host.engine.listenerCount("step") === 0);
});

test("progress is left out for a slow reader rather than cut it off", async () => {
  const slow = await open();
  slow.socket.write(`${request("events.follow")}\n`);
  await waitFor("an answer", () => slow.lines.length === 1);
  slow.socket.pause();
  for (let number = 0; number < 12_000; number++)
    host.engine.emit("progress", { ...stepFacts(number), progress: { percent: 1 } });
  slow.socket.resume();
  host.engine.emit("run", { id: "r", workflow: "w", status: "succeeded" });
  await waitFor("the end of the run", () => slow.text().includes("events.run"));
  assert.ok(slow.lines.length < 12_000);
  slow.socket.destroy();
});

test("of a thousand clients at once only so many are taken, and room is there again when they go", async () => {
  const clients: Socket[] = [];
  let turnedAway = 0;
  while (clients.length < 1000) {
    // The kernel lets only so many wait at the door.
    const batch = Array.from({ length: 20 }, () => createConnection(join(data, "control.sock")));
    for (const socket of batch) socket.once("close", () => turnedAway++).resume();
    clients.push(...batch);
    await Promise.all(batch.map((socket) => once(socket, "connect")));
    await waitFor("those turned away", () => turnedAway >= clients.length - 64);
  }
  assert.equal(turnedAway, 1000 - 64);
  for (const socket of clients) socket.destroy();
  await waitFor("room", () =>
    stillServes().then(
      () => true,
      () => false,
    ),
  );
});

/** A socket of its own in another folder, with other limits. */
async function serveIn(folder: string, limits: Parameters<typeof startControl>[1] = {}) {
  mkdirSync(folder, { recursive: true });
  const lines: string[] = [];
  const store = await openStore(folder);
  const { engine, plugins } = host;
  const read = readHost(join(root, "plugins.json"));
  const log = createLog({ level: "info", pretty: false, write: (line) => lines.push(line) });
  const surroundings = { engine, plugins, store, documents: read, dataDirectory: folder, log, serve: true };
  const control = await startControl(surroundings, limits);
  return {
    lines,
    store,
    async [Symbol.asyncDispose]() {
      await control.stop();
      await store.close();
    },
  };
}

test("a client that asks and asks and never reads is no longer read from, and then cut off", async () => {
  const folder = join(root, "impatient");
  await using served = await serveIn(folder, { idleMs: 200 });
  const deaf = createConnection(join(folder, "control.sock"));
  deaf.on("error", () => {});
  await once(deaf, "connect");
  deaf.pause();
  const requests = `${request("plugins.list")}\n`.repeat(1000);
  while (deaf.writableLength < 4 << 20) deaf.write(requests);
  await waitFor("the word in the log", () => served.lines.some((line) => line.includes("is cut off")));
  deaf.destroy();
});

test("a client that says nothing is let go, and one that follows stays", async () => {
  const folder = join(root, "silent");
  await using _ = await serveIn(folder, { idleMs: 200 });
  const [silent, following] = [1, 2].map(() => createConnection(join(folder, "control.sock"))) as [Socket, Socket];
  const gone = once(silent, "close");
  silent.resume();
  following.resume();
  following.write(`${request("events.follow")}\n`);
  await gone;
  assert.ok(!following.destroyed);
  following.destroy();
});

test("a folder whose name is too long for the kernel has its socket all the same, for its owner alone", async () => {
  const folder = join(root, "d".repeat(60), "e".repeat(60), "data");
  assert.ok(join(folder, "control.sock").length > 107);
  {
    await using _ = await serveIn(folder);
    assert.equal(statSync(join(folder, "control.sock")).mode & 0o777, 0o600);
    using client = (await connectControl(folder))!;
    assert.equal((await client.call<{ pid: number }>("host.info")).pid, process.pid);
  }
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith("control")),
    [],
  );
});

test("what a host that is gone has left in the socket's place is replaced", async () => {
  const folder = join(root, "stale");
  mkdirSync(join(folder, "control.new"), { recursive: true });
  writeFileSync(join(folder, "control.sock"), "");
  assert.equal(await connectControl(folder), undefined, "a file is no host");
  await using _ = await serveIn(folder);
  using client = await connectControl(folder);
  assert.notEqual(client, undefined);
});

test("a host that cannot have its socket works without it and says so: CONTROL_FAILED", async () => {
  const folder = join(root, "blocked");
  mkdirSync(join(folder, "control.sock", "in the way"), { recursive: true });
  await using served = await serveIn(folder);
  const line = JSON.parse(served.lines[0]!) as { code: string; remedy: string };
  assert.deepEqual([line.code, line.remedy], ["CONTROL_FAILED", catalogue.CONTROL_FAILED.remedy]);
  assert.ok(existsSync(join(folder, "control.sock", "in the way")));
});

test("who waits for a run when the host goes hears so, and what is asked after that is CONTROL_FAILED", async () => {
  const folder = join(root, "leaving");
  const served = await serveIn(folder);
  const run = sampleRun({ status: "waiting" });
  await served.store.runs.accept(run, documents("{}"), []);
  const client = (await connectControl(folder))!;
  const waiting = assert.rejects(client.call("runs.wait", { run: run.id }, { patient: true }), {
    code: "HOST_STOPPING",
  });
  await client.call("host.info");
  await served[Symbol.asyncDispose]();
  await waiting;
  await assert.rejects(client.call("host.info"), { code: "CONTROL_FAILED" });
});
