// A hub that is broken, or means harm: each command costs it an answer, an upload at most, and never the host.

import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { needs } from "../../support/parts.ts";
import { type PutServer, startPutServer } from "../../support/put-server.ts";
import { Hub } from "./hub.ts";

describe("a hub that means harm", { skip: needs("mosquitto"), timeout: 120_000 }, () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-hostile-")));
  const pattern = `${directory}/*.log`;
  let server: PutServer;
  let hub: Hub;

  before(async () => {
    writeFileSync(join(directory, `${"a".repeat(200)}.log`), "a");
    server = await startPutServer();
    hub = await Hub.start({ upload: { files: pattern, mode: "lax", retries: 0 } });
  });
  after(async () => {
    await hub?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const statusOf = async (operation: string, value: unknown) => (await hub.command(operation, value)).status;

  test("values of wrong types are answered 400", async () => {
    const wrong = [
      { correlationId: 5 },
      { correlationId: "x".repeat(501) },
      { options: [] },
      { options: "upload.files" },
      { options: { "upload.files": null } },
      { options: { "upload.files": { $secret: "X" } } },
      { $secret: "X" },
    ];
    for (const value of wrong) assert.equal(await statusOf("trigger", value), 400, JSON.stringify(value));
    for (const value of [{ correlationId: {} }, { options: 1 }, { options: { "info.a": 1 } }])
      assert.equal(await statusOf("start", value), 400, JSON.stringify(value));
    for (const value of [{ correlationId: [] }, { message: 1 }, { statusCode: {} }])
      assert.equal(await statusOf("cancel", value), 400, JSON.stringify(value));
    for (const to of ["", "2020-01-01", "2020-01-01T00:00:60Z", "2020-01-01T00:00:00+99:00", "9".repeat(9000), [], {}])
      assert.equal(await statusOf("activate", { from: "2020-01-01T00:00:00Z", to }), 400, JSON.stringify(to));
  });

  test("ids of no upload are answered 404", async () => {
    for (const correlationId of [
      "#",
      "#1",
      "x#0",
      "x#1",
      "x#99999999999999999999",
      "x#1\n",
      "\u0000",
      "#".repeat(9000),
    ])
      for (const operation of ["start", "cancel"])
        assert.equal(await statusOf(operation, { correlationId }), 404, JSON.stringify(correlationId));
  });

  test("patterns that lead nowhere, or would take for ever, are answered", async () => {
    const none = [
      "\u0000",
      `${directory}/\n*`,
      "/proc/self/environ/*",
      `${directory}/${"*a".repeat(100)}b`,
      "/".repeat(4000),
    ];
    for (const files of none)
      assert.equal(await statusOf("trigger", { options: { "upload.files": files } }), 204, JSON.stringify(files));
    for (const files of ["*/".repeat(10_000), "["])
      assert.equal(await statusOf("trigger", { options: { "upload.files": files } }), 500);
  });

  test("options that nothing can be sent by are answered, or end the upload with a code", async () => {
    const url = `${server.url}/x`;
    const aws = { "storage.provider": "aws", "aws.s3.bucket": "b", "aws.access.key.id": "i", "aws.region": "r" };
    const refused: Record<string, string>[] = [
      {},
      { "https.url": "" },
      { "https.url": "file:///etc/passwd" },
      { "https.url": "http://" },
      { "https.url": "//127.0.0.1/x" },
      { "https.url": url, "https.method": "PUT\r\nX: y" },
      { "https.url": url, "storage.provider": "__proto__" },
      { "https.url": url, "storage.provider": "constructor" },
      { ...aws, "aws.secret.access.key": "s", "aws.region": "r.example/#" },
      { ...aws, "aws.secret.access.key": "s", "aws.endpoint": "gopher://127.0.0.1/" },
    ];
    const failed: [Record<string, string>, string][] = [
      [{ "https.header.Trailer": "x" }, "UPLOAD_HTTP_HEADER_INVALID"],
      [{ "https.header.X": "a\r\nHost: b" }, "UPLOAD_HTTP_HEADER_INVALID"],
      [{ "https.header.X\r\nHost": "b" }, "UPLOAD_HTTP_HEADER_INVALID"],
      [{ "https.header.": "b" }, "UPLOAD_HTTP_HEADER_INVALID"],
    ];
    for (const [index, [options, code]] of failed.entries()) {
      const id = `failed\r\n${index}`;
      await hub.command("trigger", { correlationId: id });
      const [request] = await hub.requests(id, 1);
      const { correlationId } = request!;
      if (index === 0)
        for (const wrong of refused) assert.equal(await statusOf("start", { correlationId, options: wrong }), 500);
      assert.equal(await statusOf("start", { correlationId, options: { "https.url": url, ...options } }), 204);
      assert.equal((await hub.end(id)).statusCode, code);
    }
  });

  test("a start and a cancel at once leave one end, whichever comes first", async () => {
    await hub.command("trigger", { correlationId: "both" });
    const [request] = await hub.requests("both", 1);
    const start = { correlationId: request!.correlationId, options: { "https.url": `${server.url}/x` } };
    const [cancelled, ...started] = await Promise.all([
      statusOf("cancel", { correlationId: "both" }),
      statusOf("start", start),
      statusOf("start", start),
    ]);
    assert.ok([204, 404].includes(cancelled));
    assert.ok(started.every((status) => [204, 404, 500].includes(status)));
    assert.ok(started.filter((status) => status === 204).length <= 1, "a file is started once");
    await hub.end("both");
    assert.equal(await statusOf("start", start), 404);
    assert.equal(hub.reportsOf("both").filter(({ state }) => state !== "UPLOADING").length, 1);
  });

  test("after all that the host is the same, and uploads", async () => {
    const { state } = await hub.upload("after", undefined, () => ({ "https.url": `${server.url}/after` }));
    assert.equal(state, "SUCCESS");
    assert.equal(hub.sent("").length, 1, "it was announced once");
  });
});
