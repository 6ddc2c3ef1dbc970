// The control socket against clients that do not keep to the protocol; the host's answers are JSON-RPC 2.0.

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connectControl } from "../../host/control/client.ts";
import { type Host, startHost } from "../../host/host.ts";
import { readHost } from "../../host/loading/read-host.ts";
import { createLog } from "../../host/log.ts";
import { waitFor } from "../support/wait-for.ts";

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

test("a client that asks and never reads is cut off, and one that is told things it never reads", async () => {
  const deaf = await open();
  deaf.socket.pause();
  const line = `${request("plugins.list")}\n`;
  const sent = setInterval(() => {
    if (!deaf.socket.destroyed) deaf.socket.write(line.repeat(200));
  }, 5);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  clearInterval(sent);
  await stillServes();
  deaf.socket.destroy();
});

test("more clients than there may be are turned away, and room is there again when they go", async () => {
  const clients: Socket[] = [];
  for (let count = 0; count < 200; count++) {
    const socket = createConnection(join(data, "control.sock"));
    socket.on("error", () => {});
    clients.push(socket);
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (const socket of clients) socket.destroy();
  await waitFor("room", () =>
    stillServes().then(
      () => true,
      () => false,
    ),
  );
});
