// What the configuration makes of uploads, seen from the hub.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { needs } from "../../support/parts.ts";
import { type PutServer, startPutServer } from "../../support/put-server.ts";
import { type UnrulyProxy, unrulyProxy } from "../../support/unruly-proxy.ts";
import { Hub, nameOf, type UploadRequest } from "./hub.ts";

const skip = needs("mosquitto");
const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-settings-")));
let server: PutServer;
let proxy: UnrulyProxy;

before(async () => {
  server = await startPutServer();
  proxy = await unrulyProxy(server.port);
});
after(async () => {
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

const to = (port: number) => (request: UploadRequest) => ({
  "https.url": `http://127.0.0.1:${port}/${nameOf(request)}`,
});
const md5 = (content: Buffer) => createHash("md5").update(content).digest("base64");

function write(name: string, content: string): string {
  const path = join(directory, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

describe("a device that uploads what is configured, once, and removes it", { skip, timeout: 120_000 }, () => {
  let hub: Hub;

  before(async () => {
    hub = await Hub.start({
      upload: {
        ...{ files: `${directory}/one/*.log`, include: [`${directory}/one/**/*.csv`], exclude: ["**/*.tmp.*"] },
        ...{ mode: "scoped", delete: true, checksum: true, singleUpload: true, requestTimeout: "6s", retries: 0 },
        ...{ broker: "tcp://localhost:1883", logFile: "log/file-upload.log", stopTimeout: "30s" },
        ...{ featureId: "AutoUploadable", type: "log", context: "here", activeFrom: "" },
      },
      // Less room in the outbox than there are requests.
      things: { maxMessages: 30, mergeAbove: 10 },
    });
  });
  after(() => hub?.[Symbol.asyncDispose]());

  test("the configuration of the original is taken as it is; type and context are announced", async () => {
    const [announced] = hub.sent("") as { properties: Record<string, unknown> }[];
    assert.deepEqual([announced!.properties.type, announced!.properties.context], ["log", "here"]);
    const ignored = hub.device.host.lines().map(({ msg }) => String(msg));
    for (const name of ["broker", "logFile"])
      assert.ok(
        ignored.some((text) => text.includes(name)),
        name,
      );
  });

  test("what is configured is uploaded with its MD5, and removed after its success", async () => {
    const there = [write("one/a.log", "a"), write("one/deep/down/b.csv", "b"), write("one/c.tmp.log", "c")];
    const { state } = await hub.upload("usual", undefined, to(server.port), 2);
    assert.equal(state, "SUCCESS");
    assert.deepEqual([...server.files.keys()].sort(), ["/a.log", "/b.csv"]);
    assert.equal(server.headers.get("/a.log")!["content-md5"], md5(Buffer.from("a")));
    assert.deepEqual(there.map(existsSync), [false, false, true]);
  });

  test("a file and a link to it are one file, which is not missed when it is removed", async () => {
    const paths = [write("one/same.log", "same"), join(directory, "one/same-link.log")];
    symlinkSync(paths[0]!, paths[1]!);
    assert.equal((await hub.upload("same", `${directory}/one/same*.log`, to(server.port), 1)).state, "SUCCESS");
    assert.ok(!existsSync(paths[0]!));
    rmSync(paths[1]!);
  });

  test("what may be asked for is what is configured", async () => {
    const asked = async (files: string) =>
      (await hub.command("trigger", { options: { "upload.files": files } })).value?.message;
    for (const files of [`${directory}/*.log`, `${directory}/one/../one/a.log`, "/etc/passwd"])
      assert.equal(await asked(files), `uploading '${files}' with mode 'scoped' is not permitted`);
  });

  test("a file that was written while it was uploaded is not removed, nor taken for whole", async () => {
    const path = write("one/grows.log", "x".repeat(1000));
    proxy.fate = ({ bytes: _ }) => {
      writeFileSync(path, "y".repeat(2000));
      return "pass";
    };
    const { state } = await hub.upload("grows", path, to(proxy.port));
    // The server had all of it before it was written; it is another file now.
    assert.equal(state, "SUCCESS");
    assert.ok(existsSync(path));
    proxy.fate = () => "pass";
    await waitFor("the word on it", () => hub.device.host.log.includes("a file is kept after its upload"));
    rmSync(path);
  });

  test("while an upload is under way no other is begun, unless it is forced to; one that waits is none", async () => {
    const path = write("one/single.log", "single");
    const trigger = (correlationId: string, more = {}) =>
      hub.command("trigger", { correlationId, options: { "upload.files": path, ...more } });
    assert.equal((await trigger("first")).status, 204);
    assert.equal((await trigger("second")).status, 204);
    const [request] = await hub.requests("first", 1);
    proxy.fate = () => "hang";
    await hub.startOne(request!, to(proxy.port)(request!));
    const refused = await trigger("third");
    assert.deepEqual(
      [refused.status, refused.value?.message],
      [500, "there is an ongoing upload -  set the 'force' option to 'true' to force trigger the upload"],
    );
    assert.equal((await trigger("third", { force: "yes" })).status, 500);
    assert.equal((await trigger("fourth", { force: "true" })).status, 204);
    assert.equal(
      (await trigger("second", { force: "true" })).value?.message,
      "there is an upload with correlation ID 'second' already",
    );
    for (const code of ["FILE_UPLOAD_ONGOING", "FILE_UPLOAD_ID_TAKEN"])
      await waitFor(code, () => hub.logged(code).some(({ remedy }) => remedy !== undefined));
    for (const correlationId of ["first", "second", "fourth"]) await hub.command("cancel", { correlationId });
    proxy.fate = () => "pass";
    assert.equal((await trigger("third")).status, 204);
    await hub.command("cancel", { correlationId: "third" });
  });

  test("what the hub does not start in time expires; what it has started goes on, and the upload has failed", async () => {
    for (const name of ["e1", "e2"]) write(`one/${name}.log`, name);
    const trigger = (id: string) =>
      hub.command("trigger", {
        correlationId: id,
        options: { "upload.files": `${directory}/one/e?.log`, force: "true" },
      });
    await trigger("partly");
    const [first] = await hub.requests("partly", 2);
    await hub.startOne(first!, to(server.port)(first!));
    await trigger("never");
    const { state, statusCode, message, progress } = await hub.end("partly");
    assert.deepEqual(
      [state, statusCode, message, progress],
      ["FAILED", "FILE_UPLOAD_REQUEST_EXPIRED", "1 of 2 requests were not confirmed in time", 50],
    );
    const remain = ["e1", "e2"].map((name) => existsSync(join(directory, "one", `${name}.log`)));
    assert.deepEqual(remain, [false, true], "a file is removed after its own success, whatever becomes of the others");
    await waitFor("the other one", () => hub.logged("FILE_UPLOAD_REQUEST_EXPIRED").length >= 2);
    for (const correlationId of ["partly#2", "never#1", "never"])
      assert.equal((await hub.command("cancel", { correlationId })).status, 404);
    assert.deepEqual(hub.reportsOf("never"), []);
  });

  test("requests that are more than the outbox has room for all leave", async () => {
    for (let n = 0; n < 200; n++) write(`one/many/m${n}.csv`, "");
    assert.equal((await hub.command("trigger", { correlationId: "many", options: { force: "true" } })).status, 204);
    const requests = await waitFor("all requests", () => {
      const found = hub.requestsOf("many");
      return found.length >= 200 && found;
    });
    const numbers = requests.map(({ correlationId }) => Number(correlationId.split("#")[1]));
    assert.deepEqual(
      numbers,
      numbers.toSorted((one, other) => one - other),
    );
    assert.equal(new Set(numbers).size, numbers.length);
    assert.deepEqual(hub.logged("THINGS_LANE_FULL"), []);
    await hub.command("cancel", { correlationId: "many" });
  });
});

describe("a device that uploads by the clock what has changed, compressed", { skip, timeout: 120_000 }, () => {
  let hub: Hub;

  before(async () => {
    write("two/a.txt", "a");
    hub = await Hub.start({
      upload: {
        ...{ files: `${directory}/two/*.txt`, active: true, period: "700ms", onlyChanged: true, compression: "gzip" },
        ...{ bytesPerSecond: 10_000_000, maxParallel: 1 },
      },
    });
  });
  after(() => hub?.[Symbol.asyncDispose]());

  const requests = () => hub.sent("/outbox/messages/request") as UploadRequest[];
  const next = (count: number) =>
    waitFor(`request ${count}\n${hub.device.host.log.slice(-3000)}`, () => requests().length >= count && requests());

  test("uploads begin by themselves, again and again, and leave out what has not changed since", async () => {
    const [announced] = hub.sent("") as { properties: { autoUpload: unknown } }[];
    assert.deepEqual(announced!.properties.autoUpload, { active: true, startTime: null, endTime: null });
    // Nothing was uploaded yet, so the second tick asks for the same.
    const [first, second] = await next(2);
    assert.match(first!.correlationId, /^upload-id-\d+#1$/);
    assert.equal(first!.options["file.path"], second!.options["file.path"]);
    await hub.startOne(second!, to(server.port)(second!));
    assert.equal((await hub.end(second!.correlationId.split("#")[0]!)).state, "SUCCESS");
    assert.equal(String(gunzipSync(server.files.get("/a.txt")!)), "a");
    assert.equal(server.headers.get("/a.txt")!["content-encoding"], "gzip");
    const before = requests().length;
    write("two/b.txt", "b");
    const later = (await next(before + 1)).slice(before);
    assert.deepEqual([...new Set(later.map(nameOf))], ["b.txt"]);
    // What has changed since is asked for again.
    write("two/a.txt", "another");
    await waitFor("the changed one", () => requests().slice(before).map(nameOf).includes("a.txt"));
  });

  test("deactivated by command they end, and that holds over a restart; a window in the past begins none", async () => {
    assert.equal((await hub.command("deactivate")).status, 204);
    const [from, to] = ["2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"];
    assert.equal((await hub.command("activate", { from, to })).status, 204);
    const before = requests().length;
    await hub.device.host.stop();
    await hub.device.startHost();
    await waitFor("the announcement", () => hub.sent("").length >= 2);
    const announced = hub.sent("").at(-1) as { properties: { autoUpload: unknown } };
    assert.deepEqual(announced.properties.autoUpload, { active: true, startTime: from, endTime: to });
    // Another upload goes all its way meanwhile.
    assert.equal((await hub.command("trigger", { correlationId: "own" })).status, 204);
    await hub.requests("own", 2);
    assert.equal(requests().length, before + 2);
  });
});
