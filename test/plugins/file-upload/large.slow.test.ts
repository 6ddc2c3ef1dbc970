// 1 GiB to each provider, over five cuts of the connections and five kill -9 of the host: whole, nearly nothing is sent
// twice, memory stays flat.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, realpathSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { needs } from "../../support/parts.ts";
import { peakMb } from "../../support/resident-memory.ts";
import { Hub } from "./hub.ts";
import { openStorages, type Storages, skipStorage } from "./storage.ts";

const skip = needs("mosquitto") || skipStorage;
const mib = 1 << 20;
const sizes = { large: 1024 * mib, small: 20 * mib };
/** Of all providers, by default. */
const partBytes = 8 * mib;
const interruptions = 10;
const minuteMs = 60_000;

describe("1 GiB over interruptions", { skip, timeout: 40 * minuteMs }, () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-large-")));
  let storages: Storages;
  let hub: Hub;
  let digests: Record<keyof typeof sizes, string>;

  before(async () => {
    storages = await openStorages({ forget: true });
    hub = await Hub.start({
      upload: {
        ...{ files: `${directory}/*`, mode: "scoped", serverCert: storages.caFile },
        ...{ retries: interruptions, retryDelay: "50ms" },
      },
      logLevel: "info",
    });
    digests = { large: writeRandom("large"), small: writeRandom("small") };
  });
  after(async () => {
    await hub?.[Symbol.asyncDispose]();
    await storages?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  function writeRandom(size: keyof typeof sizes): string {
    const hash = createHash("sha256");
    const file = openSync(join(directory, size), "w");
    for (let at = 0; at < sizes[size]; at += mib) {
      const block = randomBytes(mib);
      hash.update(block);
      writeSync(file, block);
    }
    closeSync(file);
    return hash.digest("hex");
  }

  /** So that the server can be asked what it has. */
  const more = {
    S3: () => ({}),
    Azure: () => storages.Azure.signed("rcw"),
    HTTP: () => ({ "https.resume": "content-range" }),
  };

  async function restart(end: "stop" | "kill"): Promise<void> {
    await hub.device.host[end]();
    await hub.device.startHost();
  }

  for (const [name, parallel] of [
    ["HTTP", 1],
    ["S3", 3],
    ["Azure", 3],
  ] as const)
    test(`${name}: it arrives whole, what has arrived is not sent again, and memory stays flat`, async (t) => {
      const { proxy, part, options, digest } = storages[name];
      const upload = (size: keyof typeof sizes) =>
        hub.upload(`${name}-${size}`, join(directory, size), () => options(size, more[name]()));
      await restart("stop");
      assert.equal((await upload("small")).state, "SUCCESS");
      assert.equal(await digest("small"), digests.small);
      const reference = peakMb(hub.device.host.pid);
      await restart("stop");

      proxy.requests.length = 0;
      const sentBytes = () => proxy.requests.reduce((sum, { bytes }) => sum + bytes, 0);
      const peaks: number[] = [];
      const begun = performance.now();
      const ended = upload("large");
      ended.catch(() => {});
      for (let count = 1; count <= interruptions; count++) {
        const at = (sizes.large * count) / (interruptions + 1);
        await waitFor(
          () => `${at} bytes; ${sentBytes()} were sent`,
          () => sentBytes() >= at,
          5 * minuteMs,
        );
        peaks.push(peakMb(hub.device.host.pid));
        if (count % 2 === 1) proxy.cut();
        else await restart("kill");
      }
      await waitFor(
        "the end",
        () => hub.reportsOf(`${name}-large`).some(({ state }) => state !== "UPLOADING"),
        10 * minuteMs,
      );
      const seconds = (performance.now() - begun) / 1000;
      const { state, message } = await ended;
      assert.equal(state, "SUCCESS", message);
      peaks.push(peakMb(hub.device.host.pid));
      assert.equal(await digest("large"), digests.large);

      const wireMib = sentBytes() / mib;
      const above = Math.max(...peaks) - reference;
      t.diagnostic(
        `${name}: ${seconds.toFixed(0)} s, ${wireMib.toFixed(1)} MiB on the wire, peak ${above.toFixed(0)} MB above that of 20 MiB (${reference.toFixed(0)} MB)`,
      );
      // What was under way at an interruption may go again, and nothing else.
      assert.ok(sentBytes() <= sizes.large + interruptions * parallel * partBytes + mib, `${wireMib} MiB on the wire`);
      const arrived = proxy.requests.filter((request) => part(request) !== undefined && request.status !== undefined);
      assert.ok(arrived.length <= sizes.large / partBytes + interruptions * parallel, `${arrived.length} parts`);
      assert.ok(above < 40, `${above.toFixed(0)} MB above`);
    });
});
