// 1 GiB over a link that breaks ten times, through a host that is killed three times.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startTestHost, waitFor } from "gantry/testing";
import { peakMb } from "../../support/resident-memory.ts";
import { serveLink } from "./link.ts";

const sizeBytes = 1 << 30;
const share = (of: number) => Math.floor(sizeBytes * of);

const workflow = (url: string, directory: string, SHA256: string) => ({
  steps: [
    {
      uses: "download/fetch",
      with: { url, directory, filename: "file", checksums: { SHA256 } },
      retry: { retries: 30, delay: "100ms" },
    },
  ],
});

test("a large file over a bad link and through kills arrives whole, nearly nothing is sent twice, memory stays flat", {
  timeout: 600_000,
}, async (t) => {
  const root = mkdtempSync(join(tmpdir(), "gantry-link-"));
  const breaks = [0.05, 0.12, 0.21, 0.33, 0.4, 0.52, 0.63, 0.74, 0.85, 0.96].map(share);
  await using link = await serveLink(sizeBytes, breaks, 12);
  await using small = await serveLink(1 << 20, [], 1);
  try {
    const referenceMb = await peakOf(small.url, join(root, "small"), small.sha256);
    const target = join(root, "target");
    const large = workflow(`${link.url}/file`, target, link.sha256);
    await using host = await startTestHost({ plugins: ["download"], workflows: { large }, process: true });
    const id = await host.start("large");
    for (const at of [0.27, 0.48, 0.7]) {
      await waitFor("the bytes", () => link.sentBytes > share(at), 120_000);
      await host.kill();
      await host.resume();
    }
    const { status, error } = await host.ended(id, { timeoutMs: 300_000 });
    assert.equal(status, "succeeded", JSON.stringify(error));
    const reachedMb = peakMb(host.pid);

    assert.deepEqual(readdirSync(target), ["file"]);
    assert.equal(execFileSync("sha256sum", [join(target, "file")], { encoding: "utf8" }).slice(0, 64), link.sha256);
    assert.equal(link.requests.length, 1 + breaks.length + 3);
    const twice = link.sentBytes - sizeBytes;
    const [shareTwice, moreMb] = [(100 * twice) / sizeBytes, reachedMb - referenceMb];
    t.diagnostic(
      `${twice} bytes sent twice (${shareTwice.toFixed(2)} %), peak ${moreMb.toFixed(0)} MB above a small file`,
    );
    assert.ok(twice < sizeBytes / 100, `${twice} bytes were sent twice`);
    assert.ok(moreMb < 30, `${reachedMb.toFixed(0)} MB, and ${referenceMb.toFixed(0)} MB for a small file`);
  } finally {
    rmSync(root, { recursive: true });
  }
});

/** The memory a host needs for the same run of a small file. */
async function peakOf(url: string, target: string, sha256: string): Promise<number> {
  const small = workflow(`${url}/file`, target, sha256);
  await using host = await startTestHost({ plugins: ["download"], workflows: { small }, process: true });
  const { status, error } = await host.run("small");
  assert.equal(status, "succeeded", JSON.stringify(error));
  return peakMb(host.pid);
}
