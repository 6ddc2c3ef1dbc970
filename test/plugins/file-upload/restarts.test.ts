// Uploads over kills and stops of the host, and what of their secrets can be found afterwards: nothing.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { needs } from "../../support/parts.ts";
import { type PutServer, startPutServer } from "../../support/put-server.ts";
import { type UnrulyProxy, unrulyProxy } from "../../support/unruly-proxy.ts";
import { Hub, nameOf } from "./hub.ts";

describe("file uploads over restarts", { skip: needs("mosquitto"), timeout: 120_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), "gantry-restarts-"));
  let server: PutServer;
  let proxy: UnrulyProxy;
  let hub: Hub;

  before(async () => {
    server = await startPutServer({ authorization: "Bearer secret-token-1" });
    proxy = await unrulyProxy(server.port);
    hub = await Hub.start({
      upload: { files: `${directory}/*.txt`, mode: "scoped", retryDelay: "20ms", maxParallel: 2 },
    });
  });
  after(async () => {
    await hub?.[Symbol.asyncDispose]();
    await proxy?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const kill = async () => {
    await hub.device.host.kill();
    await hub.device.startHost();
  };
  const write = (id: string, count: number) => {
    for (let n = 1; n <= count; n++) writeFileSync(join(directory, `${id}-${n}.txt`), `${id} ${n}`);
  };
  const optionsFor = (name: string) => ({
    "https.url": `http://127.0.0.1:${proxy.port}/private/${name}?signature=secret-signature-2`,
    "https.header.Authorization": "Bearer secret-token-1",
    "info.place": "a workshop",
  });

  test("requests that wait for the hub, and uploads it has started, go on after kill -9, with their credentials", async () => {
    write("kept", 4);
    await hub.command("trigger", { correlationId: "kept", options: { "upload.files": `${directory}/kept-*.txt` } });
    const requests = await hub.requests("kept", 4);
    await kill();
    // Two are transferred, the third waits for its turn.
    proxy.fate = () => "hang";
    for (const request of requests.slice(0, 3)) await hub.startOne(request, optionsFor(nameOf(request)));
    await waitFor("two transfers", () => proxy.requests.length === 2);
    assert.deepEqual(secretsIn(hub.device.data), ["secrets"], "secrets lie in their own folder only");
    await kill();
    await waitFor("both again", () => proxy.requests.length === 4);
    assert.equal(proxy.requests.length, 4, "no more than two at the same time");
    proxy.fate = () => "pass";
    proxy.cut();
    await waitFor("three files", () => server.files.size === 3);
    await hub.startOne(requests[3]!, optionsFor(nameOf(requests[3]!)));
    const { state, progress, info } = await hub.end("kept");
    assert.deepEqual([state, progress, info], ["SUCCESS", 100, { place: "a workshop" }]);
    for (let n = 1; n <= 4; n++) assert.equal(String(server.files.get(`/private/kept-${n}.txt`)), `kept ${n}`);
    const reports = hub.reportsOf("kept").map(({ progress }) => progress);
    assert.deepEqual(
      reports,
      reports.toSorted((one, other) => one - other),
    );
  });

  test("an orderly stop leaves uploads where they are, and nothing is reported as failed", async () => {
    write("stopped", 1);
    await hub.command("trigger", {
      correlationId: "stopped",
      options: { "upload.files": `${directory}/stopped-*.txt` },
    });
    const [request] = await hub.requests("stopped", 1);
    proxy.fate = () => "hang";
    proxy.requests.length = 0;
    await hub.startOne(request!, optionsFor(nameOf(request!)));
    await waitFor("the transfer", () => proxy.requests.length === 1);
    await hub.device.host.stop();
    proxy.fate = () => "pass";
    await hub.device.startHost();
    assert.equal((await hub.end("stopped")).state, "SUCCESS");
    assert.deepEqual(
      hub.reportsOf("stopped").filter(({ state }) => state === "FAILED"),
      [],
    );
  });

  test("an upload can be cancelled by a host that did not start it", async () => {
    write("later", 2);
    await hub.command("trigger", { correlationId: "later", options: { "upload.files": `${directory}/later-*.txt` } });
    const [request] = await hub.requests("later", 2);
    proxy.fate = () => "hang";
    proxy.requests.length = 0;
    await hub.startOne(request!, optionsFor(nameOf(request!)));
    await waitFor("the transfer", () => proxy.requests.length === 1);
    await kill();
    await waitFor("the transfer again", () => proxy.requests.length === 2);
    assert.equal((await hub.command("cancel", { correlationId: "later", message: "enough" })).status, 204);
    assert.equal((await hub.end("later")).state, "CANCELED");
    await waitFor("its end", () => proxy.open() === 0);
    proxy.fate = () => "pass";
  });

  test("a start that is refused leaves no secret behind, wherever it has put it", async () => {
    write("refused", 1);
    await hub.command("trigger", {
      correlationId: "refused",
      options: { "upload.files": `${directory}/refused-*.txt` },
    });
    const aws = { "storage.provider": "aws", "aws.s3.bucket": "b", "aws.access.key.id": "i", "aws.region": "r" };
    const azure = { "storage.provider": "azure", "azure.shared.access.signature": "a", "azure.blob.container": "c" };
    const refused: [number, Record<string, unknown>][] = [
      [400, { "https.url": 5, "https.header.Authorization": "Bearer secret-token-1" }],
      [400, { "https.header.Authorization": ["Bearer secret-token-1"] }],
      [500, { "storage.provider": "another", "another.key": "secret-key-3" }],
      [500, { ...aws, "aws.secret.access.key": "secret-key-4", "aws.session.token": "secret-token-5\n" }],
      [500, { ...aws, "aws.secret.access.key": "k", "aws.endpoint": "https://user:secret-password-6@minio.example" }],
      [500, { ...azure, "azure.storage.endpoint": "https://a.example/?sig=secret-signature-7" }],
    ];
    for (const [wanted, options] of refused) {
      const { status, text } = await hub.command("start", { correlationId: "refused#1", options });
      assert.equal(status, wanted, text);
    }
    await hub.command("cancel", { correlationId: "refused" });
  });

  test("keys and signatures are in no log, no file of the data folder and no message", async () => {
    await waitFor("the end of all runs", () => secretsIn(hub.device.data).length === 0);
    assert.ok(!hub.device.host.log.includes("secret-"), "the log");
    const outgoing = hub.device.heard.filter(({ topic }) => !topic.startsWith("command///req/"));
    assert.ok(outgoing.length > 10);
    for (const { topic, text } of outgoing) assert.ok(!text.includes("secret-"), topic);
  });
});

/** The names at the top of the folder below which the word is found. */
function secretsIn(folder: string): string[] {
  const found = new Set<string>();
  const look = (path: string, top: string) => {
    for (const name of readdirSync(path)) {
      const inner = join(path, name);
      const stats = statSync(inner, { throwIfNoEntry: false });
      if (stats?.isDirectory()) look(inner, top || name);
      else if (stats?.isFile() && readFileSync(inner).includes("secret-")) found.add(top || name);
    }
  };
  look(folder, "");
  return [...found].sort();
}
