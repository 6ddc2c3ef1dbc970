// The full sequences with each provider's real server. What goes wrong there is in `failures.test.ts`.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { needs } from "../../support/parts.ts";
import { openContainer } from "../upload-azure/container.ts";
import { openBucket } from "../upload-s3/bucket.ts";
import { Hub } from "./hub.ts";

const skip = needs("mosquitto") || needs("swift-object-server");
const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-providers-")));
const [bucket, container] = skip ? (undefined as never) : await Promise.all([openBucket(), openContainer()]);
const hub = skip
  ? (undefined as never)
  : await Hub.start({
      upload: { files: `${directory}/*`, mode: "scoped", retries: 1, retryDelay: "20ms", bytesPerSecond: 4_000_000 },
    });

after(async () => {
  for (const each of skip ? [] : [hub, bucket, container]) await each[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function write(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const awsOptions = (more: Record<string, string> = {}) => {
  const { bucket: name, region, endpoint, accessKeyId, secretAccessKey } = bucket.input(bucket.swift.port);
  return {
    ...{ "storage.provider": "AWS", "aws.s3.bucket": name, "aws.region": region, "aws.endpoint": endpoint },
    ...{ "aws.access.key.id": accessKeyId, "aws.secret.access.key": secretAccessKey, "aws.s3.path.style": "true" },
    ...more,
  };
};
const azureOptions = (sas?: string) => {
  const { endpoint, container: name, sharedAccessSignature } = container.input(container.azurite.port, sas);
  return {
    ...{ "storage.provider": "azure", "azure.storage.endpoint": endpoint, "azure.blob.container": name },
    "azure.shared.access.signature": sharedAccessSignature,
  };
};

describe("uploads with each provider", { skip, timeout: 120_000 }, () => {
  test("S3: the key is the path as the pattern has it, or what the hub says; small and in parts", async () => {
    const large = randomBytes(9 << 20);
    const paths = [write("s3-a.txt", "a"), write("s3-b.bin", large)];
    const { state, progress } = await hub.upload("s3", `${directory}/s3-*`, () => awsOptions(), 2);
    assert.deepEqual([state, progress], ["SUCCESS", 100]);
    assert.equal(String(await bucket.read(paths[0]!)), "a");
    assert.ok((await bucket.read(paths[1]!))!.equals(large));
    const between = hub.reportsOf("s3").filter(({ progress }) => progress > 0 && progress < 100);
    assert.ok(between.length > 0, "progress is told while a file is under way");
    await hub.upload("s3-key", paths[0]!, () =>
      awsOptions({ "aws.object.key": "a/key of its own", "aws.session.token": "t" }),
    );
    assert.equal(String(await bucket.read("a/key of its own")), "a");
  });

  test("Azure: the blob is named as the file, whatever its name; a signature that may create and write is enough", async () => {
    const large = randomBytes(9 << 20);
    write("az ü#1?.txt", "a");
    write("az-b.bin", large);
    const { state } = await hub.upload("azure", `${directory}/az*`, () => azureOptions(), 2);
    assert.equal(state, "SUCCESS");
    assert.equal(String(await container.read("az ü#1?.txt")), "a");
    assert.ok((await container.read("az-b.bin"))!.equals(large));
  });

  test("what a start lacks is said in the words of the original, and it may come again", async () => {
    const path = write("lacking.txt", "lacking");
    await hub.command("trigger", { correlationId: "lacking", options: { "upload.files": path } });
    const [request] = await hub.requests("lacking", 1);
    const start = async (options: Record<string, string>) =>
      (await hub.command("start", { correlationId: request!.correlationId, options })).value?.message;
    const { "aws.region": _, ...withoutRegion } = awsOptions();
    assert.equal(await start(withoutRegion), "required parameter 'aws.region' missing or empty");
    assert.equal(
      await start({ "storage.provider": "azure" }),
      "required parameter 'azure.storage.endpoint' missing or empty",
    );
    await hub.startOne(request!, awsOptions());
    assert.equal((await hub.end("lacking")).state, "SUCCESS");
  });

  test("all of it is told without a secret", () => {
    const told = [hub.device.host.log, ...hub.device.on("e").map(({ text }) => text)].join("\n");
    for (const secret of ["testing-key", "sig="]) assert.ok(!told.includes(secret), secret);
    assert.ok(hub.sent("/properties/lastUpload").length > 5);
  });
});
