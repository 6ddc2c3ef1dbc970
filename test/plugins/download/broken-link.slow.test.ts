// 1 GiB over a link that breaks ten times, through a host that is killed three times.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openStoreForReading } from "../../../host/store/open.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { type HostFolder, HostProcess, makeHostFolder } from "../../support/host-process.ts";
import { serveLink } from "./link.ts";

const main = fileURLToPath(new URL("../../../host/main.ts", import.meta.url));
const sizeBytes = 1 << 30;
const share = (of: number) => Math.floor(sizeBytes * of);

const workflow = (url: string, directory: string, SHA256: string) => ({
  name: "large",
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
    const reference = await peakOf(root, "small", small.url, small.sha256);
    const target = join(root, "target");
    const folder = await makeHostFolder(
      join(root, "host"),
      { workflows: ["./workflows"], plugins: [{ plugin: "download" }] },
      { large: workflow(`${link.url}/file`, target, link.sha256) },
    );
    const first = beginRun(folder);
    await killAt(first, () => link.sentBytes > share(0.27));
    for (const at of [0.48, 0.7]) {
      const host = new HostProcess(folder);
      await waitFor("the bytes", () => link.sentBytes > share(at), 120_000);
      await host.kill();
    }
    const last = new HostProcess(folder);
    await waitFor(`the end of the run\n${last.log}`, () => endedWell(folder), 300_000);
    const peakMb = peakMbOf(last.pid);
    await last.stop();

    assert.deepEqual(readdirSync(target), ["file"]);
    assert.equal(execFileSync("sha256sum", [join(target, "file")], { encoding: "utf8" }).slice(0, 64), link.sha256);
    assert.equal(link.requests.length, 1 + breaks.length + 3);
    const twice = link.sentBytes - sizeBytes;
    const [shareTwice, moreMb] = [(100 * twice) / sizeBytes, peakMb - reference];
    t.diagnostic(
      `${twice} bytes sent twice (${shareTwice.toFixed(2)} %), peak ${moreMb.toFixed(0)} MB above a small file`,
    );
    assert.ok(twice < sizeBytes / 100, `${twice} bytes were sent twice`);
    assert.ok(moreMb < 30, `${peakMb.toFixed(0)} MB, and ${reference.toFixed(0)} MB for a small file`);
  } finally {
    rmSync(root, { recursive: true });
  }
});

/** `gantry run`, in the foreground; what is left of it when it is killed goes on with the next `gantry up`. */
function beginRun(folder: HostFolder) {
  const file = join(folder.directory, "workflows/large.json");
  const args = [main, "run", file, "--config", folder.config, "--data", folder.data];
  return spawn(process.execPath, args, { stdio: ["ignore", "ignore", "ignore"] });
}

async function killAt(child: ReturnType<typeof beginRun>, isTime: () => boolean): Promise<void> {
  await waitFor("the bytes", isTime, 120_000);
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** The memory a host needs for the same run of a small file. */
async function peakOf(root: string, name: string, url: string, sha256: string): Promise<number> {
  const folder = await makeHostFolder(
    join(root, name),
    { workflows: ["./workflows"], plugins: [{ plugin: "download" }] },
    { large: workflow(`${url}/file`, join(root, `${name}-target`), sha256) },
  );
  const begun = beginRun(folder);
  await once(begun, "exit");
  assert.ok(endedWell(folder));
  const host = new HostProcess(folder);
  await host.ready();
  const peakMb = peakMbOf(host.pid);
  await host.stop();
  return peakMb;
}

function endedWell(folder: HostFolder): boolean {
  const store = openStoreForReading(folder.data);
  try {
    const [run] = store.runs.list({ workflow: "large", limit: 1 });
    if (run?.endedAt == null) return false;
    assert.equal(run.status, "succeeded", JSON.stringify(run.error));
    return true;
  } finally {
    store.close();
  }
}

const peakMbOf = (pid: number) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
