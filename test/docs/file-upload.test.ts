// docs/file-upload.md: each of its examples is used, as it stands there.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { type DavServer, serveDav } from "../../examples/webdav/test/dav-server.ts";
import type { JsonObject } from "../../host/sdk.ts";
import type { TestPlugin } from "../../host/testing/host-folder.ts";
import { startTestHost, type TestHost } from "../../host/testing/test-host.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";
import { execute, gantry } from "../commands/gantry.ts";
import { Hub, type LastUpload, shipped, type UploadRequest } from "../plugins/file-upload/hub.ts";
import { type Container, openContainer } from "../plugins/upload-azure/container.ts";
import { type Bucket, openBucket } from "../plugins/upload-s3/bucket.ts";
import { needs } from "../support/parts.ts";
import { type PutServer, startPutServer } from "../support/put-server.ts";
import { PageExamples } from "./examples-of.ts";

const page = new PageExamples("file-upload.md");
const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-file-upload-page-")));
const logs = join(directory, "app");
const documents = ["upload-files", "request-uploads", "cancel-uploads", "activate-uploads", "deactivate-uploads"];
let server: PutServer;
let container: Container;
let bucket: Bucket | undefined;
let dav: DavServer | undefined;
/** What stands on the page for what is on this machine. */
let here: Record<string, string>;

before(async () => {
  mkdirSync(logs);
  [server, container] = await Promise.all([startPutServer({ authorization: "Bearer 3f9a" }), openContainer()]);
  if (needs("swift-object-server") === false) bucket = await openBucket();
  if (needs("rclone") === false) dav = await serveDav(join(directory, "dav"), "gateway", "3f9a");
  here = {
    "/var/log/app": logs,
    "https://files.example": server.url,
    "https://cloud.example": `http://127.0.0.1:${dav?.port}`,
    "./plugins/webdav": fileURLToPath(new URL("../../examples/webdav", import.meta.url)),
    '"10s"': '"20ms"',
  };
});
after(async () => {
  for (const each of [dav, bucket, container, server]) await each?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

const example = (holds: (value: JsonObject) => boolean) => page.only(holds, here);
const has = (name: string) => (value: JsonObject) => Object.hasOwn(value, name);
const isOnly = (name: string) => (value: JsonObject) => Object.keys(value).join() === name;
const uses = (step: string, id?: string) => (value: JsonObject) => value.uses === step && value.id === id;
const optionsFor = (provider: string) => example((value) => value["storage.provider"] === provider);

function write(name: string, content: string): string {
  const path = join(logs, name);
  writeFileSync(path, content);
  return path;
}

const configuration = (more: Record<string, string> = {}) => page.only(has("device"), { ...here, ...more });

test("the configuration and the shipped documents have no fault", async () => {
  const folder = join(directory, "validate");
  mkdirSync(join(folder, "workflows"), { recursive: true });
  writeFileSync(join(folder, "plugins.json"), JSON.stringify(configuration()));
  for (const name of documents) writeFileSync(join(folder, `workflows/${name}.json`), JSON.stringify(shipped(name)));
  const { code, stdout } = await gantry("validate", "--config", join(folder, "plugins.json"));
  assert.deepEqual([code, stdout], [0, "all good\n"]);
});

describe("the first upload", { skip: needs("rclone") || needs("mosquitto_pub"), timeout: 120_000 }, () => {
  test("goes as the page says, command by command", async () => {
    const [starting, triggering, confirming] = page.commands() as [string, string, string];
    write("first.log", "the first\n");
    const serving = /^rclone serve.*(?= &$)/m.exec(starting)![0].replace(":8000", ":0");
    const folder = join(directory, "first");
    mkdirSync(join(folder, "received"), { recursive: true });
    const rclone = spawn("sh", ["-c", `exec ${serving}`], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    rclone.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const port = await waitFor("the server", () => /http:\/\/127\.0\.0\.1:(\d+)\//.exec(said)?.[1]);
    const { config } = (configuration().plugins as { config: JsonObject }[]).at(-1)!;
    const hub = await Hub.start({ upload: config, embedded: true });
    try {
      const publish = async (block: string) => {
        const [text] = /^mosquitto_pub .*/ms.exec(block)!;
        const command = text
          .replace("mosquitto_pub", `mosquitto_pub -h 127.0.0.1 -p ${hub.device.port}`)
          .replace("127.0.0.1:8000", `127.0.0.1:${port}`);
        const { code, stderr } = await execute("sh", "-c", command);
        assert.equal(code, 0, stderr);
      };
      await publish(triggering);
      assert.equal((await hub.answer("1")).status, 204);
      assert.deepEqual(
        (await hub.requests("my-first", 1)).map(({ correlationId }) => correlationId),
        ["my-first#1"],
      );
      await publish(confirming);
      assert.equal((await hub.answer("2")).status, 204);
      const { state, progress } = await hub.end("my-first");
      assert.deepEqual([state, progress], ["SUCCESS", 100]);
      assert.equal(readFileSync(join(folder, "received/app.log"), "utf8"), "the first\n");
    } finally {
      const ended = once(rclone, "exit");
      rclone.kill();
      await ended;
      await hub[Symbol.asyncDispose]();
    }
  });
});

/** The shipped document, changed, under an operation of its own. */
function changed(operation: string, change: (steps: WorkflowStep[], document: Workflow) => void): Workflow {
  const document = shipped("upload-files") as Workflow;
  change(document.steps[1]!.steps!, document);
  const [command] = document.on!;
  return { ...document, name: operation, on: [{ ...command!, with: { ...command!.with, operation } }] };
}
const placeOf = (steps: WorkflowStep[], holds: (step: WorkflowStep) => boolean) => {
  const found = steps.findIndex(holds);
  assert.ok(found >= 0);
  return found;
};

/** A time zone in which it is about noon. */
function noon(): string {
  const offset = 12 - new Date().getUTCHours();
  return `Etc/GMT${offset > 0 ? "-" : "+"}${Math.abs(offset)}`;
}

describe("a hub", { timeout: 240_000 }, () => {
  let hub: Hub;

  before(async () => {
    const workflows: Record<string, object> = {
      ...Object.fromEntries(documents.map((name) => [name, shipped(name)])),
      night: changed("night", (steps) => {
        steps.splice(
          placeOf(steps, ({ id }) => id === "turn"),
          0,
          example(uses("host/wait", "night")) as unknown as WorkflowStep,
        );
      }),
      patient: changed("patient", (steps) => {
        Object.assign(steps[placeOf(steps, ({ id }) => id === "generic")]!, example(isOnly("retry")));
      }),
      aside: changed("aside", (steps) => {
        const place = placeOf(steps, (step) => step.uses === "file-upload/remove");
        steps[place] = example(uses("files/move", "aside")) as unknown as WorkflowStep;
      }),
      lenient: changed("lenient", (_, document) => {
        Object.assign(document.steps[1]!.onFailure![0]!.with!, example(has("others")));
      }),
      dav: changed("dav", (steps, document) => {
        const guard = placeOf(steps, (step) => step.uses === "host/fail");
        Object.assign(steps[guard]!, example(isOnly("if")));
        steps.splice(guard, 0, example(uses("webdav/put", "webdav")) as unknown as WorkflowStep);
        const { options } = document.inputs!.properties as { options: { patternProperties: object } };
        Object.assign(
          options.patternProperties,
          example((value) => Object.keys(value)[0]!.startsWith("^")),
        );
      }),
    };
    hub = await Hub.start({
      upload: { mode: "lax", retries: 0 },
      workflows,
      plugins: [{ plugin: "files" }, example((value) => value.plugin === "./plugins/webdav") as unknown as TestPlugin],
      environment: { TZ: noon() },
      embedded: true,
    });
  });
  after(() => hub?.[Symbol.asyncDispose]());

  const triggered = async (id: string, files: string, count = 1): Promise<UploadRequest[]> => {
    const { status, text } = await hub.command("trigger", { correlationId: id, options: { "upload.files": files } });
    assert.equal(status, 204, text);
    return await hub.requests(id, count);
  };
  const start = async (operation: string, request: UploadRequest, options: JsonObject) => {
    const { status, text } = await hub.command(operation, { correlationId: request.correlationId, options });
    assert.equal(status, 204, text);
  };
  const upload = async (id: string, operation: string, options: JsonObject): Promise<LastUpload> => {
    const [request] = await triggered(id, write(`${id}.log`, id));
    await start(operation, request!, options);
    return await hub.end(id);
  };
  const succeeds = async (...given: Parameters<typeof upload>) => {
    const last = await upload(...given);
    assert.equal(last.state, "SUCCESS", JSON.stringify(last));
  };
  const plainly = (name: string) => ({ "https.url": `${server.url}/${name}` });

  test("starts a file with the options of each provider", async () => {
    await succeeds("generic", "start", optionsFor("generic"));
    assert.equal(String(server.files.get("/private/app.log")), "generic");
    const { endpoint, container: name, sharedAccessSignature } = container.input(container.azurite.port);
    const azure = { ...optionsFor("azure"), "azure.storage.endpoint": endpoint, "azure.blob.container": name };
    await succeeds("azure", "start", { ...azure, "azure.shared.access.signature": sharedAccessSignature });
    assert.equal(String(await container.read("azure.log")), "azure");
    const aws = optionsFor("aws");
    if (bucket === undefined) return;
    const { bucket: Bucket, region, accessKeyId, secretAccessKey, endpoint: s3 } = bucket.input(bucket.swift.port);
    const place = { "aws.s3.bucket": Bucket, "aws.region": region, "aws.endpoint": s3 };
    const keys = { "aws.access.key.id": accessKeyId, "aws.secret.access.key": secretAccessKey };
    await succeeds("aws", "start", { ...aws, ...place, ...keys });
    assert.equal(String(await bucket.read("gateway-1/app.log")), "aws");
  });

  test("sees the failure that the page shows", async () => {
    const last = await upload("my-first", "start", plainly("private/denied.log"));
    const shown = example(has("statusCode")) as unknown as LastUpload;
    // A server may refuse what has been sent already.
    const { startTime, endTime, progress } = last;
    assert.deepEqual(last, { ...shown, startTime, endTime, progress });
    assert.deepEqual(Object.keys(last), Object.keys(shown));
    for (const time of [shown.startTime, shown.endTime]) assert.ok(Number.isFinite(Date.parse(time)));
  });

  test("with one step more what it starts by day waits for the night, and can be cancelled", async () => {
    const [request] = await triggered("night", write("night.log", "night"));
    await start("night", request!, plainly("night.log"));
    await waitFor("its first report", () => hub.reportsOf("night").length > 0);
    assert.equal((await hub.command("cancel", { correlationId: "night" })).status, 204);
    assert.equal((await hub.end("night")).state, "CANCELED");
    assert.ok(!server.files.has("/night.log"));
  });

  test("with another `retry` a transfer is tried for longer", async () => {
    const failing = () => hub.logged("UPLOAD_SERVER_UNREACHABLE").length;
    const [request] = await triggered("patient", write("patient.log", "patient"));
    await start("patient", request!, { "https.url": "http://127.0.0.1:1/x" });
    await waitFor("three attempts", () => failing() >= 3);
    assert.equal((await hub.command("cancel", { correlationId: "patient" })).status, 204);
    assert.equal((await hub.end("patient")).state, "CANCELED");
  });

  test("with another step files are put aside", async () => {
    await succeeds("aside", "aside", plainly("aside.log"));
    assert.ok(!existsSync(join(logs, "aside.log")));
    assert.equal(readFileSync(join(logs, "sent/aside.log"), "utf8"), "aside");
  });

  test("with one word more a file that fails does not stop the others", async () => {
    write("l1.txt", "1");
    write("l2.txt", "2");
    const [bad, good] = await triggered("lenient", `${logs}/l*.txt`, 2);
    const before = hub.logged("UPLOAD_HTTP_DENIED").length;
    await start("lenient", bad!, plainly("private/l1.txt"));
    await waitFor("its failure", () => hub.logged("UPLOAD_HTTP_DENIED").length > before);
    await start("lenient", good!, plainly("l2.txt"));
    const { state, statusCode } = await hub.end("lenient");
    assert.deepEqual([state, statusCode], ["FAILED", "UPLOAD_HTTP_DENIED"]);
    assert.equal(String(server.files.get("/l2.txt")), "2");
  });

  test("is told of a provider of one's own, and uses it", async () => {
    const options = optionsFor("webdav");
    if (dav === undefined) return;
    await succeeds("webdav", "dav", options);
    assert.equal(readFileSync(join(directory, "dav/remote.php/dav/files/gateway/logs/app.log"), "utf8"), "webdav");
    assert.ok(hub.requestsOf("webdav")[0]!.options["storage.providers"]!.includes("webdav"));
    await succeeds("still-generic", "dav", plainly("still.log"));
    assert.equal(String(server.files.get("/still.log")), "still-generic");
  });
});

describe("one line in the configuration", { timeout: 240_000 }, () => {
  const to = (name: string) => () => ({ "https.url": `${server.url}/${name}` });

  test("compresses, limits, tries again, and removes what the server has as it was", async () => {
    const lines = [has("compression"), has("maxParallel"), has("retryDelay"), has("delete")].map(example);
    const upload = Object.assign({ mode: "lax" }, ...lines) as JsonObject;
    await using hub = await Hub.start({ upload, embedded: true });
    const path = write("line.log", "a line\n");
    assert.equal((await hub.upload("line", path, to("line.log.gz"))).state, "SUCCESS");
    assert.equal(String(gunzipSync(server.files.get("/line.log.gz")!)), "a line\n");
    const { "content-encoding": encoding, "content-md5": md5 } = server.headers.get("/line.log.gz")!;
    assert.deepEqual([encoding, typeof md5], ["gzip", "string"]);
    assert.ok(!existsSync(path));
    const kept = write("kept.log", "kept");
    assert.equal((await hub.upload("kept", kept, to("private/kept.log"))).state, "FAILED");
    assert.ok(existsSync(kept));
  });

  test("leaves out what has not changed", async () => {
    const upload = { mode: "lax", ...example(has("onlyChanged")) };
    await using hub = await Hub.start({ upload, embedded: true });
    const [path, other] = [write("only.txt", "one"), write("only2.txt", "two")];
    const pattern = `${logs}/only*.txt`;
    assert.equal((await hub.upload("both", pattern, to("only.txt"), 2)).state, "SUCCESS");
    writeFileSync(path, "changed");
    utimesSync(path, new Date(), new Date(statSync(path).mtimeMs + 5000));
    assert.equal((await hub.upload("one", pattern, to("only.txt"), 1)).state, "SUCCESS");
    assert.equal(hub.requestsOf("one")[0]!.options["file.path"], path);
    assert.ok(existsSync(other));
  });
});

describe("without a hub", { timeout: 240_000 }, () => {
  let host: TestHost;

  before(async () => {
    const nightly = example(has("limits"));
    const elsewhere = JSON.parse(JSON.stringify(nightly).replace("FILES_TOKEN", "NOBODY_HAS_SET_THIS")) as Workflow;
    const azureStep = example(uses("upload-azure/put")) as { with: JsonObject };
    const { sharedAccessSignature, ...blobs } = container.input(container.azurite.port);
    Object.assign(azureStep.with, blobs);
    const s3Step = example(uses("upload-s3/put")) as { with: JsonObject };
    const { accessKeyId, secretAccessKey, ...objects } = bucket?.input(bucket.swift.port) ?? {
      accessKeyId: "none",
      secretAccessKey: "none",
    };
    Object.assign(s3Step.with, objects);
    host = await startTestHost({
      broker: "embedded",
      plugins: ["mqtt", "upload-http", "upload-s3", "upload-azure"],
      device: configuration().device as { deviceId: string; tenantId: string },
      workflows: {
        "nightly-log": nightly,
        elsewhere: { ...elsewhere, name: "elsewhere", on: [] },
        azure: { steps: [azureStep] },
        s3: { steps: [s3Step] },
      },
      secrets: {
        FILES_TOKEN: "Bearer 3f9a",
        LOGS_SAS: sharedAccessSignature,
        S3_KEY_ID: accessKeyId,
        S3_SECRET: secretAccessKey,
      },
    });
  });
  after(() => host?.[Symbol.asyncDispose]());

  test("a log is uploaded each night, with a secret of the device", async () => {
    write("app.log", "all is well\n");
    await host.clock.advance("25h");
    const run = await host.nextRun("nightly-log");
    assert.equal(run.status, "succeeded", JSON.stringify(run.error));
    const stored = server.files.get(`/private/org.example:gateway-1/${run.id}.log.gz`)!;
    assert.equal(String(gunzipSync(stored)), "all is well\n");
  });

  test("what goes wrong is an alarm", async () => {
    const run = await host.run("elsewhere");
    assert.equal(run.error?.code, "SECRET_MISSING");
    const alarm = await host.mqtt.next("alarms");
    assert.equal((alarm.json as { code: string }).code, "SECRET_MISSING");
  });

  test("to Azure, and to S3", async () => {
    write("app.log", "to the cloud\n");
    const azure = await host.run("azure");
    assert.equal(azure.status, "succeeded", JSON.stringify(azure.error));
    assert.equal(String(await container.read(`org.example:gateway-1/${azure.id}.log`)), "to the cloud\n");
    if (bucket === undefined) return;
    const s3 = await host.run("s3");
    assert.equal(s3.status, "succeeded", JSON.stringify(s3.error));
    assert.equal(String(await bucket.read(`org.example:gateway-1/${s3.id}.log`)), "to the cloud\n");
  });
});

test("every example of the page has been used", () => {
  assert.deepEqual(page.unused(), []);
});
