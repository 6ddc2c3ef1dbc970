// The full sequences of the original over MQTT, to a server with TLS from a test's own authority.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import manifestOfPlugin from "../../../plugins/file-upload/plugin.json" with { type: "json" };
import { needs } from "../../support/parts.ts";
import type { Hub, UploadRequest } from "./hub.ts";
import { Uploading } from "./uploading.ts";

const manifest: { errors: Record<string, { remedy: string }> } = manifestOfPlugin;

const skip = needs("mosquitto") || needs("openssl");

describe("file uploads over MQTT", { skip, timeout: 120_000 }, () => {
  let uploading: Uploading;
  let hub: Hub;

  before(async () => {
    uploading = await Uploading.start();
    hub = uploading.hub;
  });
  after(() => uploading?.[Symbol.asyncDispose]());

  test("the feature is announced as the original announces it", async () => {
    const [announced] = await hub.device.texts("e", 1);
    assert.equal(
      announced,
      '{"topic":"org.example/gateway-1/things/twin/commands/modify","headers":{"response-required":false},"path":"/features/AutoUploadable","value":{"definition":["com.bosch.iot.suite.manager.upload:AutoUploadable:1.0.0","com.bosch.iot.suite.manager.upload:Uploadable:1.0.0"],"properties":{"type":"file","context":"edge","info":{"supportedProviders":"aws,azure,generic"},"autoUpload":{"active":false,"startTime":null,"endTime":null}}}}',
    );
  });

  test("from the trigger to the last file, each message is that of the original", async () => {
    const folder = join(uploading.files, "all");
    uploading.write({ "one.txt": "1", "two.txt": "22", "three.txt": "333" }, folder);
    mkdirSync(join(folder, "a-folder"));
    const answer = await hub.command("trigger", {
      correlationId: "all",
      options: { "upload.files": `${folder}/*`, "options.x": "kept", ignored: "not kept" },
    });
    assert.equal(
      answer.text,
      '{"topic":"org.example/gateway-1/things/live/messages/trigger","headers":{"content-type":"application/json","correlation-id":"r1"},"path":"/features/AutoUploadable/outbox/messages/trigger","status":204}',
    );
    const requests = await hub.requests("all", 3);
    assert.deepEqual(
      requests.map(({ correlationId, options }) => [correlationId, options["file.path"]]),
      [
        ["all#1", `${folder}/one.txt`],
        ["all#2", `${folder}/three.txt`],
        ["all#3", `${folder}/two.txt`],
      ],
    );
    const text = hub.device.on("e").find(({ text }) => text.includes('"all#1"'))!.text;
    assert.equal(
      text,
      `{"topic":"org.example/gateway-1/things/live/messages/request","headers":{"content-type":"application/json","reply-to":"command/demo","response-required":false},"path":"/features/AutoUploadable/outbox/messages/request","value":{"correlationId":"all#1","options":{"file.path":"${folder}/one.txt","storage.providers":"aws, azure, generic","x":"kept"}}}`,
    );
    const options = (request: UploadRequest) => ({
      ...uploading.to("all")(request),
      "info.from": "a test",
      "https.method": "post",
    });
    for (const request of requests) await hub.startOne(request, options(request));
    const last = await hub.end("all");
    const { startTime, endTime, ...rest } = last;
    assert.deepEqual(rest, {
      correlationId: "all",
      state: "SUCCESS",
      statusCode: "",
      message: "",
      progress: 100,
      info: { from: "a test" },
    });
    assert.ok(Date.parse(startTime) <= Date.parse(endTime));
    const [first, ...more] = hub.reportsOf("all");
    assert.deepEqual(Object.keys(first!), [
      "correlationId",
      "state",
      "startTime",
      "endTime",
      "statusCode",
      "message",
      "progress",
      "info",
    ]);
    assert.deepEqual([first!.state, first!.progress, first!.endTime], ["UPLOADING", 0, "0001-01-01T00:00:00Z"]);
    const progress = more.map(({ progress }) => progress);
    assert.deepEqual(
      progress,
      progress.toSorted((one, other) => one - other),
    );
    assert.deepEqual(
      [...uploading.server.files]
        .filter(([path]) => path.startsWith("/all/"))
        .map(([path, content]) => [path, String(content)])
        .sort(),
      [
        ["/all/one.txt", "1"],
        ["/all/three.txt", "333"],
        ["/all/two.txt", "22"],
      ],
    );
    assert.equal(uploading.server.methods.get("/all/one.txt"), "POST");
    await waitFor("the word on the folder", () => hub.device.host.log.includes("left out of an upload: a directory"));
  });

  test("a trigger without correlation id gets one that is made, and one that finds nothing is fine", async () => {
    uploading.write({ "made.txt": "x" });
    assert.equal(
      (await hub.command("trigger", { options: { "upload.files": `${uploading.files}/made.txt` } })).status,
      204,
    );
    const made = () =>
      (hub.sent("/outbox/messages/request") as UploadRequest[]).find(({ correlationId }) =>
        correlationId.startsWith("upload-id-"),
      );
    const { correlationId } = await waitFor("the request", made);
    assert.match(correlationId, /^upload-id-\d{10}#1$/);
    assert.equal(
      (
        await hub.command("trigger", {
          correlationId: "none",
          options: { "upload.files": `${uploading.files}/*.none` },
        })
      ).status,
      204,
    );
    await hub.command("cancel", { correlationId: correlationId.split("#")[0] });
    assert.deepEqual(hub.requestsOf("none"), []);
  });

  test("what cannot be started is answered in the words of the original, and may be started again", async () => {
    uploading.write({ "again.txt": "again" });
    await hub.command("trigger", {
      correlationId: "again",
      options: { "upload.files": `${uploading.files}/again.txt` },
    });
    const [request] = await hub.requests("again", 1);
    const start = async (correlationId: unknown, options?: unknown) => {
      const { status, value } = await hub.command("start", { correlationId, options });
      return [status, value?.error, value?.message];
    };
    const failed = (message: string) => [500, "messages:execution.failed", message];
    const unknown = (id: string) => [404, "messages:parameter.invalid", `upload with correlation ID '${id}' not found`];
    assert.deepEqual(await start("nothing#1", {}), unknown("nothing#1"));
    assert.deepEqual(await start("again#2", {}), unknown("again#2"));
    assert.deepEqual(await start("", {}), unknown(""));
    assert.deepEqual(
      await start("again", {}),
      failed("multi-file upload 'again' cannot be started - start the individual uploads"),
    );
    assert.deepEqual(await start("again#1"), failed("upload URL not specified"));
    assert.deepEqual(
      await start("again#1", { "https.url": "https://x", "https.method": "get" }),
      failed("unsupported HTTP method: GET"),
    );
    assert.deepEqual(await start("again#1", { "storage.provider": "FTP" }), failed("unknown storage provider 'FTP'"));
    assert.deepEqual(await start("again#1", { "storage.provider": "" }), failed("unknown storage provider ''"));
    const wrong = { correlationId: "again#1", options: { "https.url": 5 } };
    const { status, value } = await hub.command("start", wrong);
    assert.deepEqual(
      [status, value],
      [
        400,
        {
          error: "messages:parameter.invalid",
          status: 400,
          message: `invalid 'start' operation parameters: ${JSON.stringify(wrong)}`,
        },
      ],
    );
    // Secrets are secret also in a command that is refused.
    const secrets = { "https.url": 5, "https.header.Authorization": "a-secret-token", "info.a": "shown" };
    const refused = await hub.command("start", { correlationId: "again#1", options: secrets });
    assert.equal(
      refused.value?.message,
      `invalid 'start' operation parameters: {"correlationId":"again#1","options":{"https.url":5,"https.header.Authorization":"***","info.a":"shown"}}`,
    );
    assert.ok(!hub.device.host.log.includes("a-secret-token"));
    assert.deepEqual(hub.reportsOf("again"), []);
    await hub.startOne(request!, { ...uploading.to("again")(request!), "storage.provider": "GENERIC" });
    assert.equal((await hub.end("again")).state, "SUCCESS");
    assert.deepEqual(await start("again#1", uploading.to("again")(request!)), unknown("again#1"));
  });

  test("a trigger that cannot be carried out is answered in the words of the original", async () => {
    const trigger = async (options: Record<string, unknown>) => {
      const { status, value } = await hub.command("trigger", { options });
      return [status, value?.error, value?.message];
    };
    const failed = (message: string) => [500, "messages:execution.failed", message];
    assert.deepEqual(await trigger({}), failed("upload files not specified"));
    assert.deepEqual(await trigger({ "upload.files": `${uploading.files}/[a` }), failed("syntax error in pattern"));
    assert.equal((await trigger({ "upload.files": 1 }))[0], 400);
    const unsupported = await hub.command("pause", {});
    assert.deepEqual(unsupported.value, {
      error: "messages:execution.failed",
      status: 400,
      message: "Unsupported operation: pause",
    });
  });

  test("a value that is missing or null is as good as an empty one", async () => {
    for (const value of [undefined, null]) {
      assert.equal((await hub.command("trigger", value)).value?.message, "upload files not specified");
      assert.equal((await hub.command("cancel", value)).value?.message, "upload with correlation ID '' not found");
      assert.equal((await hub.command("start", value)).value?.message, "upload with correlation ID '' not found");
      assert.equal((await hub.command("deactivate", value)).status, 204);
    }
    for (const value of [5, "all", [], true]) assert.equal((await hub.command("trigger", value)).status, 400);
  });

  test("options that go out again are bounded, and those that the device sets itself win", async () => {
    uploading.write({ "bounded.txt": "x" });
    const options = {
      "upload.files": `${uploading.files}/bounded.txt`,
      "options.file.path": "/etc/passwd",
      "options.a": "b",
    };
    const long = "x".repeat(16_384);
    const refused = await hub.command("trigger", {
      correlationId: "bounded",
      options: { ...options, "options.b": long },
    });
    const message = "have more than 16384 characters together";
    assert.deepEqual([refused.status, refused.value?.message], [500, `the options options.* ${message}`]);
    await hub.command("trigger", { correlationId: "bounded", options });
    const [request] = await hub.requests("bounded", 1);
    assert.deepEqual(request!.options, {
      a: "b",
      "file.path": `${uploading.files}/bounded.txt`,
      "storage.providers": "aws, azure, generic",
    });
    const start = { correlationId: "bounded#1", options: { ...uploading.to("bounded")(request!), "info.a": long } };
    const { status, value } = await hub.command("start", start);
    assert.deepEqual([status, value?.message], [500, `the options info.* ${message}`]);
    await hub.startOne(request!, uploading.to("bounded")(request!));
    assert.equal((await hub.end("bounded")).state, "SUCCESS");
  });

  test("a command without request id is executed, and one without headers runs without an answer", async () => {
    uploading.write({ "plain.txt": "plain" });
    const { device } = hub;
    const value = (id: string) => ({ correlationId: id, options: { "upload.files": `${uploading.files}/plain.txt` } });
    const about = { feature: "AutoUploadable" };
    await device.command("trigger", value("no-id"), { ...about, topic: "command///req//trigger", correlationId: "n1" });
    await hub.requests("no-id", 1);
    await device.text("command///res//204");
    await device.command("trigger", value("no-headers"), { ...about, requestId: "silent", headers: undefined });
    await hub.requests("no-headers", 1);
    assert.deepEqual(device.on(/res\/silent/), []);
    for (const correlationId of ["no-id", "no-headers"]) await hub.command("cancel", { correlationId });
  });

  test("names of members are read in any case", async () => {
    uploading.write({ "case.txt": "case" });
    await hub.command("trigger", { CorrelationID: "case", Options: { "upload.files": `${uploading.files}/case.txt` } });
    const [request] = await hub.requests("case", 1);
    await hub.command("start", { CORRELATIONID: "case#1", OPTIONS: uploading.to("case")(request!) });
    assert.equal((await hub.end("case")).state, "SUCCESS");
  });

  test("activate and deactivate say so in the twin, and refuse what is no period", async () => {
    const activate = async (value: unknown) => {
      const { status, value: refusal } = await hub.command("activate", value);
      return refusal === undefined ? status : [status, refusal.error, refusal.message];
    };
    const [from, to] = ["2099-01-01T00:00:00.500+02:00", "2099-01-02T00:00:00Z"];
    assert.equal(await activate({ from, to }), 204);
    const about = () =>
      hub.device.heard.filter(({ text }) => /"path":"[^"]*(?:autoUpload|messages.activate)"/.test(text));
    const topics = about().map(({ topic }) => topic.replace(/r\d+/, "ID"));
    assert.deepEqual(topics.slice(-2), ["e", "command///res/ID/204"], "the property first, then the answer");
    const before = hub.sent("/properties/autoUpload").length - 1;
    assert.equal((await hub.command("deactivate")).status, 204);
    const said = await waitFor("both", () => {
      const values = hub.sent("/properties/autoUpload").slice(before);
      return values.length === 2 && values;
    });
    assert.deepEqual(said, [
      { active: true, startTime: "2099-01-01T00:00:00.5+02:00", endTime: to },
      { active: false, startTime: null, endTime: null },
    ]);
    const refused = (message: string) => [400, "messages:parameter.invalid", message];
    assert.deepEqual(
      await activate({ from: to, to: from }),
      refused(
        "period end - 2099-01-01 00:00:00.5 +0200 +0200 -  is before period start - 2099-01-02 00:00:00 +0000 UTC",
      ),
    );
    const wrong = [
      {},
      { from },
      { from: null, to },
      { from: 1, to: 2 },
      { from: "now", to },
      { from: "2099-02-30T00:00:00Z", to },
    ];
    for (const value of wrong)
      assert.deepEqual(
        await activate(value),
        refused(`invalid 'activate' operation parameters: ${JSON.stringify(value)}`),
      );
  });

  test("what is refused has its code in the log, with its remedy", async () => {
    const codes = [
      ...[
        "FILE_UPLOAD_UNKNOWN",
        "FILE_UPLOAD_HAS_PARTS",

        "FILE_UPLOAD_PROVIDER_UNKNOWN",
      ],
      ...["FILE_UPLOAD_OPTIONS_INVALID", "FILE_UPLOAD_NOTHING_SPECIFIED", "FILE_UPLOAD_PATTERN_INVALID"],
      "FILE_UPLOAD_PERIOD_INVALID",
    ];
    for (const code of codes)
      await waitFor(code, () => hub.logged(code).some(({ remedy }) => remedy === manifest.errors[code]!.remedy));
  });
});
