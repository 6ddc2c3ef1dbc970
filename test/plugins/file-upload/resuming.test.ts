// A large file is interrupted by a cut and by kill -9: with each provider the parts that have arrived are not sent again.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { needs } from "../../support/parts.ts";
import { Hub } from "./hub.ts";
import { httpPartBytes, openStorages, type Storages, skipStorage } from "./storage.ts";

const skip = needs("mosquitto") || skipStorage;
const mib = 1 << 20;
/** What S3 takes as a part, at least. */
const s3PartBytes = 5 * mib;
const content = randomBytes(16 * mib - 7);

describe("large files over interruptions", { skip, timeout: 120_000 }, () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-resuming-")));
  let storages: Storages;
  let hub: Hub;

  before(async () => {
    storages = await openStorages();
    hub = await Hub.start({
      upload: { files: `${directory}/*`, mode: "scoped", serverCert: storages.caFile, retryDelay: "20ms" },
      plugins: [
        { plugin: "upload-s3", config: { partSizeBytes: s3PartBytes, parallelParts: 1 } },
        { plugin: "upload-azure", config: { blockSizeBytes: 4 * mib, parallelBlocks: 1 } },
        { plugin: "upload-http", config: { partSizeBytes: httpPartBytes } },
      ],
    });
  });
  after(async () => {
    await hub?.[Symbol.asyncDispose]();
    await storages?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  for (const name of ["S3", "Azure", "HTTP"] as const)
    test(`${name}: each part that has arrived is sent once`, async () => {
      const { proxy, part, options, read } = storages[name];
      const path = join(directory, name);
      writeFileSync(path, content);
      const sent = () => proxy.requests.flatMap((request) => part(request) ?? []);
      // The second part does not arrive at first, and neither does the third.
      proxy.fate = (request) => (part(request) !== undefined && [2, 4].includes(sent().length) ? "hang" : "pass");
      const more = name === "HTTP" ? { "https.resume": "content-range" } : {};
      const ended = hub.upload(name, path, () => options(name, more));
      await waitFor("the second part", () => sent().length === 2);
      proxy.cut();
      await waitFor("the third part", () => sent().length === 4);
      await hub.device.host.kill();
      await hub.device.startHost();
      const { state, progress, message } = await ended;
      assert.deepEqual([state, progress], ["SUCCESS", 100], message);
      assert.deepEqual(sent(), [1, 2, 2, 3, 3, 4]);
      assert.ok((await read(name))!.equals(content));
      const told = hub.reportsOf(name).map(({ progress }) => progress);
      assert.deepEqual(
        told,
        told.toSorted((one, other) => one - other),
      );
    });
});
