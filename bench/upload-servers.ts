// The servers of bench/upload.ts, one for each provider, and how Gantry's step and rclone are told of them. They check
// who uploads, and know what has arrived.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { JsonObject } from "../host/sdk.ts";
import { openContainer } from "../test/plugins/upload-azure/container.ts";
import { openBucket } from "../test/plugins/upload-s3/bucket.ts";

export interface UploadServer extends AsyncDisposable {
  /** The step `put` for a file of this folder on the server; `file` and `name` may be expressions. */
  step(folder: string, file: string, name: string): JsonObject;
  /** The folder as rclone names it, and what its environment says of the server. */
  remote(folder: string): { target: string; environment: NodeJS.ProcessEnv };
  /** The address of a file, where everybody may put it. */
  url?(folder: string, name: string): string;
  /** The bytes of all files there, and how many there are. */
  has(folder: string): Promise<{ files: number; bytes: number }>;
}

export const servers: Record<string, () => Promise<UploadServer>> = { HTTP: openWebdav, S3: openS3, Azure: openAzure };

/** rclone's own server: it takes a PUT from everybody. */
async function openWebdav(): Promise<UploadServer> {
  const directory = mkdtempSync(join(tmpdir(), "gantry-bench-webdav-"));
  // A folder must be there before a PUT; rclone makes its own.
  for (const name of ["own-small", "own-large", "own-many", "curl-large", "curl-many"])
    mkdirSync(join(directory, name));
  const child = spawn("rclone", ["serve", "webdav", directory, "--addr", "127.0.0.1:0", "--log-level", "NOTICE"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let base = "";
  for await (const line of createInterface(child.stderr)) {
    base = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? "";
    if (base !== "") break;
  }
  child.stderr.resume();
  const url = (folder: string, name: string) => `${base}/${folder}/${name}`;
  return {
    url,
    step: (folder, path, name) => ({ uses: "upload-http/put", with: { path, url: url(folder, name) } }),
    remote: (folder) => ({
      target: `BENCH:${folder}`,
      environment: { RCLONE_CONFIG_BENCH_TYPE: "webdav", RCLONE_CONFIG_BENCH_URL: base },
    }),
    async has(folder) {
      const sizes = readdirSync(join(directory, folder)).map((name) => statSync(join(directory, folder, name)).size);
      return totalOf(sizes);
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.kill();
      await ended;
      rmSync(directory, { recursive: true });
    },
  };
}

async function openS3(): Promise<UploadServer> {
  const bucket = await openBucket();
  const { bucket: name, ...how } = bucket.input(bucket.swift.port);
  return {
    step: (folder, path, file) => ({
      uses: "upload-s3/put",
      with: { path, bucket: name, key: `${folder}/${file}`, ...how },
    }),
    remote: (folder) => ({
      target: `BENCH:${name}/${folder}`,
      environment: {
        RCLONE_CONFIG_BENCH_TYPE: "s3",
        RCLONE_CONFIG_BENCH_PROVIDER: "Other",
        RCLONE_CONFIG_BENCH_ENDPOINT: how.endpoint,
        RCLONE_CONFIG_BENCH_REGION: how.region,
        RCLONE_CONFIG_BENCH_ACCESS_KEY_ID: how.accessKeyId,
        RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY: how.secretAccessKey,
        RCLONE_CONFIG_BENCH_NO_CHECK_BUCKET: "true",
        // rclone cannot take it, and needs none here.
        AWS_CA_BUNDLE: undefined,
      },
    }),
    has: async (folder) => totalOf(await bucket.sizes(`${folder}/`)),
    [Symbol.asyncDispose]: () => bucket[Symbol.asyncDispose](),
  };
}

async function openAzure(): Promise<UploadServer> {
  const container = await openContainer();
  const { endpoint, container: name } = container.input(container.azurite.port);
  // rclone looks first what is there.
  const sas = container.sign("rcwl");
  return {
    step: (folder, path, file) => ({
      uses: "upload-azure/put",
      with: { path, endpoint, container: name, name: `${folder}/${file}`, sharedAccessSignature: sas },
    }),
    remote: (folder) => ({
      target: `BENCH:${name}/${folder}`,
      environment: { RCLONE_CONFIG_BENCH_TYPE: "azureblob", RCLONE_CONFIG_BENCH_SAS_URL: `${endpoint}${name}?${sas}` },
    }),
    async has(folder) {
      const sizes: number[] = [];
      for await (const { properties } of container.client.listBlobsFlat({ prefix: `${folder}/` }))
        sizes.push(properties.contentLength!);
      return totalOf(sizes);
    },
    [Symbol.asyncDispose]: () => container[Symbol.asyncDispose](),
  };
}

const totalOf = (sizes: number[]) => ({ files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) });
