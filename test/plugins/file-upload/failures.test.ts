// What goes wrong with each provider: each has a code of its own in `lastUpload`, and its remedy in the log.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdtempSync, readFileSync, realpathSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { catalogue, type ErrorEntry } from "../../../host/errors.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import azure from "../../../plugins/upload-azure/plugin.json" with { type: "json" };
import http from "../../../plugins/upload-http/plugin.json" with { type: "json" };
import s3 from "../../../plugins/upload-s3/plugin.json" with { type: "json" };
import { needs } from "../../support/parts.ts";
import { Hub, type LastUpload } from "./hub.ts";
import { openStorages, type Storages, skipStorage } from "./storage.ts";

const skip = needs("mosquitto") || skipStorage;
const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-failures-")));
const errors: Record<string, ErrorEntry> = { ...catalogue, ...http.errors, ...s3.errors, ...azure.errors };
const mib = 1 << 20;
let storages: Storages;
let hub: Hub;
/** It waits for servers only shortly, and tries nothing again. */
let impatient: Hub;

type Name = "S3" | "Azure" | "HTTP";

/** What a server refuses: the code, and the options that bring it about. */
const refused: [Name, string, string, () => Record<string, string>][] = [
  ["S3", "a wrong key", "UPLOAD_S3_DENIED", () => ({ "aws.secret.access.key": "wrong" })],
  ["S3", "an unknown key", "UPLOAD_S3_DENIED", () => ({ "aws.access.key.id": "unknown:key" })],
  ["S3", "a bucket that is not there", "UPLOAD_S3_BUCKET_MISSING", () => ({ "aws.s3.bucket": "nowhere" })],
  ["Azure", "a signature that only reads", "UPLOAD_AZURE_DENIED", () => storages.Azure.signed("r")],
  [
    "Azure",
    "a signature by another key",
    "UPLOAD_AZURE_DENIED",
    () => ({ "azure.shared.access.signature": `${signatureOf("cw").replace(/sig=[^&]+/, "sig=d3Jvbmc%3D")}` }),
  ],
  [
    "Azure",
    "a signature that has expired",
    "UPLOAD_AZURE_SAS_EXPIRED",
    () => storages.Azure.signed("cw", { till: new Date(Date.now() - 60_000) }),
  ],
  [
    "Azure",
    "a container that is not there",
    "UPLOAD_AZURE_CONTAINER_MISSING",
    () => ({ "azure.blob.container": "nowhere", ...storages.Azure.signed("cw", { container: "nowhere" }) }),
  ],
  ["HTTP", "a wrong authorization", "UPLOAD_HTTP_DENIED", () => ({ "https.header.Authorization": "Bearer wrong" })],
  [
    "HTTP",
    "a place that is not there",
    "UPLOAD_HTTP_NOT_FOUND",
    () => ({ "https.url": `https://localhost:${storages.HTTP.proxy.port}/missing/file` }),
  ],
  ["S3", "no server", "UPLOAD_SERVER_UNREACHABLE", () => ({ "aws.endpoint": "http://127.0.0.1:1" })],
  ["Azure", "no server", "UPLOAD_SERVER_UNREACHABLE", () => ({ "azure.storage.endpoint": "http://127.0.0.1:1/" })],
  ["HTTP", "no server", "UPLOAD_SERVER_UNREACHABLE", () => ({ "https.url": "https://localhost:1/" })],
];

const serverErrors: Record<Name, string> = {
  S3: "UPLOAD_S3_SERVER_ERROR",
  Azure: "UPLOAD_AZURE_SERVER_ERROR",
  HTTP: "UPLOAD_HTTP_SERVER_ERROR",
};

/** What becomes of a file whenever some of it is under way, and what is told of it. */
const changes: [string, string, (path: string) => void][] = [
  ["is cut", "UPLOAD_FILE_TRUNCATED", (path) => truncateSync(path, readFileSync(path).length - 6 * mib)],
  ["grows", "UPLOAD_FILE_GREW", (path) => appendFileSync(path, "more")],
];
/** More than a connection takes before the server has read any of it, and for S3 and Azure several parts. */
const changingBytes = 20 * mib;

const names: Name[] = ["S3", "Azure", "HTTP"];
const signatureOf = (permissions: string) => storages.Azure.signed(permissions)["azure.shared.access.signature"]!;

let count = 0;

/** One file, uploaded with these options; `since` is the place in the log at which that began. */
async function upload(
  by: Hub,
  name: Name,
  content: string | Buffer,
  more: Record<string, string> = {},
): Promise<{ last: LastUpload; file: string; since: number }> {
  const file = `file-${++count}`;
  const path = join(directory, file);
  writeFileSync(path, content);
  const since = by.device.host.lines().length;
  const last = await by.upload(file, path, () => storages[name].options(file, more));
  return { last, file, since };
}

async function assertLogged(by: Hub, code: string, since: number): Promise<void> {
  const found = () =>
    by.device.host
      .lines()
      .slice(since)
      .find((line) => line.code === code && line.remedy !== undefined);
  const line = await waitFor(`the remedy for ${code}`, found);
  assert.equal(line.remedy, errors[code]!.remedy);
}

/** The upload has failed with this code, and the log has its remedy. */
async function assertFailed(by: Hub, { last, since }: { last: LastUpload; since: number }, code: string) {
  assert.deepEqual([last.state, last.statusCode], ["FAILED", code], last.message);
  assert.ok(last.message.length > 10);
  await assertLogged(by, code, since);
}

describe("what goes wrong with uploads", { skip, timeout: 240_000 }, () => {
  before(async () => {
    storages = await openStorages();
    const settings = { files: `${directory}/*`, mode: "scoped", serverCert: storages.caFile, retryDelay: "20ms" };
    const silent = { silenceTimeout: "500ms" };
    [hub, impatient] = await Promise.all([
      Hub.start({ upload: { ...settings, retries: 1 } }),
      Hub.start({
        upload: { ...settings, retries: 0 },
        plugins: ["upload-s3", "upload-azure", "upload-http"].map((plugin) => ({ plugin, config: silent })),
      }),
    ]);
  });
  beforeEach(() => {
    for (const name of names) {
      storages[name].proxy.requests.length = 0;
      storages[name].proxy.fate = () => "pass";
    }
  });
  after(async () => {
    for (const each of [hub, impatient, storages]) await each?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  for (const [name, what, code, options] of refused)
    test(`${name}, ${what}: ${code}`, async () => {
      await assertFailed(hub, await upload(hub, name, "refused", options()), code);
    });

  for (const name of names) {
    test(`${name}, a server that answers 500 and then 200: the upload succeeds, and the log has the remedy`, async () => {
      const { proxy, read } = storages[name];
      proxy.fate = () => (proxy.requests.length === 1 ? 500 : "pass");
      const { last, file, since } = await upload(hub, name, "again");
      assert.equal(last.state, "SUCCESS", last.message);
      assert.equal(String(await read(file)), "again");
      assert.equal(proxy.requests.length, 2);
      await assertLogged(hub, serverErrors[name], since);
    });

    test(`${name}, a server that answers 500 whenever it is asked: ${serverErrors[name]}`, async () => {
      const { proxy } = storages[name];
      proxy.fate = () => 500;
      await assertFailed(hub, await upload(hub, name, "never"), serverErrors[name]);
      assert.equal(proxy.requests.length, 2, "as often as `retries` says, and the first time");
    });

    test(`${name}, a server that hangs: UPLOAD_SERVER_SILENT`, async () => {
      storages[name].proxy.fate = () => "hang";
      await assertFailed(impatient, await upload(impatient, name, "hanging"), "UPLOAD_SERVER_SILENT");
    });

    for (const [what, code, change] of changes) {
      test(`${name}, a file that ${what} whenever it is read: ${code}`, async () => {
        const { proxy, read, part } = storages[name];
        proxy.fate = (passing) => {
          if (part(passing) === 1) change(join(directory, `file-${count}`));
          return "pass";
        };
        const uploaded = await upload(hub, name, randomBytes(changingBytes));
        await assertFailed(hub, uploaded, code);
        assert.equal(await read(uploaded.file), undefined, "nothing is stored");
      });

      test(`${name}, a file that ${what} once: the next attempt uploads it as it is then, and the log has the remedy`, async () => {
        const { proxy, read, part } = storages[name];
        let changed = false;
        proxy.fate = (passing) => {
          if (part(passing) === 1 && !changed) {
            change(join(directory, `file-${count}`));
            changed = true;
          }
          return "pass";
        };
        const { last, file, since } = await upload(hub, name, randomBytes(changingBytes));
        assert.deepEqual([last.state, last.progress], ["SUCCESS", 100], last.message);
        assert.ok((await read(file))!.equals(readFileSync(join(directory, file))));
        await assertLogged(hub, code, since);
      });
    }
  }

  test("S3, a device whose clock is wrong: UPLOAD_S3_CLOCK_SKEW", async () => {
    await hub.device.host.stop();
    const shift = fileURLToPath(new URL("../../support/earlier.mjs", import.meta.url));
    await hub.device.startHost({ NODE_OPTIONS: `--import ${shift}` });
    await assertFailed(hub, await upload(hub, "S3", "skew"), "UPLOAD_S3_CLOCK_SKEW");
  });

  test("what went wrong is told without a secret", () => {
    for (const { device } of [hub, impatient]) {
      const told = [device.host.log, ...device.on("e").map(({ text }) => text)].join("\n");
      for (const secret of storages.secrets) assert.ok(!told.includes(secret), secret);
    }
    assert.ok(hub.sent("/properties/lastUpload").length > 10);
  });
});
