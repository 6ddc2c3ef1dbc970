// How uploads end over MQTT: by their last file, by one that fails, by a cancel. The sequences are in `sequences.test.ts`.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { needs } from "../../support/parts.ts";
import { unrulyProxy } from "../../support/unruly-proxy.ts";
import type { Hub } from "./hub.ts";
import { Uploading } from "./uploading.ts";

const skip = needs("mosquitto") || needs("openssl");

describe("ends of file uploads over MQTT", { skip, timeout: 120_000 }, () => {
  let uploading: Uploading;
  let hub: Hub;

  before(async () => {
    uploading = await Uploading.start();
    hub = uploading.hub;
  });
  after(() => uploading?.[Symbol.asyncDispose]());

  test("a file that the server refuses ends the upload with its reason, and all its ids are forgotten", async () => {
    uploading.write({ "a.bin": "a", "b.bin": "b" });
    await hub.command("trigger", { correlationId: "refused", options: { "upload.files": `${uploading.files}/*.bin` } });
    const [first, second] = await hub.requests("refused", 2);
    await hub.startOne(first!, uploading.to("private")(first!));
    const last = await hub.end("refused");
    assert.deepEqual(
      [last.state, last.statusCode, last.message],
      ["FAILED", "UPLOAD_HTTP_DENIED", "upload failed - code: 403, status: 403 Forbidden"],
    );
    const { status } = await hub.command("start", {
      correlationId: second!.correlationId,
      options: uploading.to("x")(second!),
    });
    assert.equal(status, 404);
    const [logged] = await waitFor("the remedy", () => {
      const lines = hub.logged("UPLOAD_HTTP_DENIED").filter(({ remedy }) => remedy !== undefined);
      return lines.length > 0 && lines;
    });
    assert.match(String(logged!.remedy), /fresh URL/);
  });

  test("a file that fails ends the transfers of the others, and they leave no word after the end", async () => {
    await using slow = await unrulyProxy(0);
    slow.fate = () => "hang";
    uploading.write({ "f1.out": "1", "f2.out": "2" });
    await hub.command("trigger", { correlationId: "both", options: { "upload.files": `${uploading.files}/*.out` } });
    const [first, second] = await hub.requests("both", 2);
    await hub.startOne(second!, { "https.url": `http://127.0.0.1:${slow.port}/f2` });
    await waitFor("the transfer", () => slow.requests.length > 0);
    await hub.startOne(first!, uploading.to("private")(first!));
    assert.equal((await hub.end("both")).statusCode, "UPLOAD_HTTP_DENIED");
    await waitFor("the end of the connection", () => slow.open() === 0);
    // Whatever the other run still says has left when this is answered.
    await hub.command("cancel", { correlationId: "both" });
    assert.deepEqual(
      hub.reportsOf("both").flatMap(({ state }) => (state === "UPLOADING" ? [] : [state])),
      ["FAILED"],
    );
  });

  test("empty files count as files, where there are no bytes to count", async () => {
    uploading.write({ "e1.empty": "", "e2.empty": "" });
    await hub.command("trigger", { correlationId: "empty", options: { "upload.files": `${uploading.files}/*.empty` } });
    const [first, second] = await hub.requests("empty", 2);
    await hub.startOne(first!, { ...uploading.to("empty")(first!), "info.of": "the first start" });
    assert.equal((await hub.progress("empty", 1)).progress, 50);
    const again = await hub.command("start", {
      correlationId: first!.correlationId,
      options: uploading.to("empty")(first!),
    });
    assert.equal(again.status, 404, "a file that is done is unknown, also while others are not");
    await hub.startOne(second!, { ...uploading.to("empty")(second!), "info.of": "the second", "info.more": "of it" });
    const { progress, info } = await hub.end("empty");
    assert.deepEqual([progress, info], [100, { of: "the first start" }]);
    assert.deepEqual(
      ["e1", "e2"].map((name) => uploading.server.headers.get(`/empty/${name}.empty`)!["content-length"]),
      ["0", "0"],
    );
  });

  test("cancelling an upload, or any file of it, ends all of it, also before anything was started", async () => {
    uploading.write({ "c1.dat": "c", "c2.dat": "c" });
    const said = { statusCode: "410", message: "no longer wanted" };
    for (const [id, cancelled] of [
      ["whole", "whole"],
      ["part", "part#2"],
    ]) {
      await hub.command("trigger", { correlationId: id, options: { "upload.files": `${uploading.files}/*.dat` } });
      const [first] = await hub.requests(id!, 2);
      assert.equal((await hub.command("cancel", { correlationId: cancelled, ...said })).status, 204);
      const { endTime, ...last } = await hub.end(id!);
      const unset = { startTime: "0001-01-01T00:00:00Z", progress: 0, info: {} };
      assert.deepEqual(last, { correlationId: id, state: "CANCELED", ...said, ...unset });
      assert.ok(Date.now() - Date.parse(endTime) < 600_000);
      assert.equal((await hub.command("start", { correlationId: first!.correlationId })).status, 404);
    }
    const again = await hub.command("cancel", { correlationId: "whole" });
    assert.deepEqual([again.status, again.value?.message], [404, "upload with correlation ID 'whole' not found"]);
    const wrong = await hub.command("cancel", { correlationId: "whole", statusCode: 410 });
    assert.equal(wrong.status, 400);
  });

  test("cancelling ends transfers that are under way", async () => {
    await using slow = await unrulyProxy(0);
    slow.fate = () => "hang";
    uploading.write({ "slow.txt": "slow" });
    await hub.command("trigger", { correlationId: "slow", options: { "upload.files": `${uploading.files}/slow.txt` } });
    const [request] = await hub.requests("slow", 1);
    await hub.startOne(request!, { "https.url": `http://127.0.0.1:${slow.port}/slow` });
    await waitFor("the transfer", () => slow.requests.length > 0);
    const started = await hub.command("start", { correlationId: "slow#1", options: uploading.to("x")(request!) });
    assert.equal(started.value?.message, "upload 'slow#1' already started");
    await waitFor("its code", () =>
      hub.logged("FILE_UPLOAD_ALREADY_STARTED").some(({ remedy }) => remedy !== undefined),
    );
    await hub.command("cancel", { correlationId: "slow", message: "enough" });
    const { state, message, startTime } = await hub.end("slow");
    assert.deepEqual([state, message], ["CANCELED", "enough"]);
    assert.notEqual(startTime, "0001-01-01T00:00:00Z");
    await waitFor("the end of the connection", () => slow.open() === 0);
    assert.equal(hub.reportsOf("slow").filter(({ state }) => state !== "UPLOADING").length, 1);
  });
});
