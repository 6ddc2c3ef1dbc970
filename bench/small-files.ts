// 1,000 files of 8 KiB over loopback, each with its checksum verified and synced: the step alone, 32 at a time, and as a
// durable run of a real host, against `curl --parallel` followed by `sha256sum --check` and `sync`.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setUpStep, stepContext } from "../test/support/step-context.ts";
import { peakMb, run, timed } from "./clients.ts";
import { median, row } from "./figures.ts";

const self = fileURLToPath(import.meta.url);
const gantry = fileURLToPath(new URL("../host/main.ts", import.meta.url));
const count = 1000;
const sizeBytes = 8192;
const atATime = 32;
const rounds = 5;
const names = Array.from({ length: count }, (_, index) => `file-${index}`);

const [role, ...args] = process.argv.slice(2);
if (role === "server") await serve();
else if (role === "fetch") await fetchAll(args[0]!, args[1]!, args[2]!);
else await compare();

async function serve(): Promise<void> {
  const content = randomBytes(sizeBytes);
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-length": sizeBytes });
    response.end(content);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ port, sha256: createHash("sha256").update(content).digest("hex") }));
}

/** The step as the host calls it, so many at a time. */
async function fetchAll(url: string, directory: string, SHA256: string): Promise<void> {
  using context = stepContext();
  const fetch = await setUpStep("download", "fetch", context);
  const waiting = names.values();
  const begun = performance.now();
  const one = async () => {
    for (const filename of waiting) await fetch({ url, directory, filename, checksums: { SHA256 } });
  };
  await Promise.all(Array.from({ length: atATime }, one));
  console.log(JSON.stringify({ seconds: (performance.now() - begun) / 1000, peakMb: peakMb() }));
  process.exit();
}

async function compare(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "gantry-bench-small-"));
  const server = spawn(process.execPath, [self, "server"], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const { port, sha256 } = await firstLine(server);
    const url = `http://127.0.0.1:${port}/file`;
    const target = join(directory, "target");
    const emptied = <Value>(work: () => Value): Value => {
      mkdirSync(target);
      const value = work();
      const found = readdirSync(target).length;
      if (found !== count) throw new Error(`${found} files instead of ${count}`);
      rmSync(target, { recursive: true });
      return value;
    };
    const steps: { seconds: number; peakMb: number }[] = [];
    const runs: number[] = [];
    const peers: { fetched: number; checked: number; synced: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      const own = () => execFileSync(process.execPath, [self, "fetch", url, target, sha256], { encoding: "utf8" });
      steps.push(JSON.parse(emptied(own)));
      runs.push(emptied(() => durableRun(join(directory, `host${round}`), url, target, sha256)));
      peers.push(emptied(() => curl(directory, url, target, sha256)));
    }
    const stepSeconds = median(steps.map(({ seconds }) => seconds));
    const runSeconds = median(runs);
    const peer = median(peers.map(({ fetched, checked, synced }) => fetched + checked + synced));
    const [fetched, synced] = [median(peers.map((one) => one.fetched)), median(peers.map((one) => one.synced))];
    console.log(row(`download/fetch, ${count} files, ${atATime} at a time`, `${stepSeconds.toFixed(2)} s`));
    console.log(row("the same as one durable run, host included", `${runSeconds.toFixed(2)} s`));
    console.log(
      row(
        "curl --parallel, then sha256sum --check, then sync",
        `${peer.toFixed(2)} s (curl ${fetched.toFixed(2)} s, sync ${synced.toFixed(2)} s)`,
      ),
    );
    console.log(row("ratio of the steps to curl", `${(peer / stepSeconds).toFixed(2)} times`));
    console.log(row("peak memory of the steps", `${median(steps.map((one) => one.peakMb)).toFixed(0)} MB`));
  } finally {
    server.kill();
    rmSync(directory, { recursive: true });
  }
}

/** `gantry run`: a `forEach` of fetches, each of them in the journal. */
function durableRun(folder: string, url: string, directory: string, SHA256: string): number {
  mkdirSync(folder);
  const path = (name: string) => join(folder, name);
  const step = { uses: "download/fetch", with: { url, directory, filename: "${{ name }}", checksums: { SHA256 } } };
  const steps = [{ forEach: names, as: "name", maxParallel: atATime, steps: [step] }];
  writeFileSync(path("plugins.json"), JSON.stringify({ plugins: [{ plugin: "download" }] }));
  writeFileSync(path("small.json"), JSON.stringify({ name: "small", steps }));
  const options = ["--config", path("plugins.json"), "--data", path("data")];
  return timed(() => run(process.execPath, gantry, "run", path("small.json"), ...options));
}

function curl(folder: string, url: string, directory: string, sha256: string) {
  const config = join(folder, "curl");
  writeFileSync(config, names.map((name) => `url = "${url}"\noutput = "${join(directory, name)}"\n`).join(""));
  const sums = join(folder, "sums");
  writeFileSync(sums, names.map((name) => `${sha256}  ${join(directory, name)}\n`).join(""));
  const paths = names.map((name) => join(directory, name));
  return {
    fetched: timed(() => run("curl", "--silent", "--parallel", "--parallel-max", String(atATime), "--config", config)),
    checked: timed(() => run("sha256sum", "--check", "--quiet", sums)),
    synced: timed(() => run("sync", ...paths)),
  };
}

async function firstLine(child: ChildProcess): Promise<{ port: number; sha256: string }> {
  const [chunk] = (await once(child.stdout!, "data")) as [Buffer];
  return JSON.parse(chunk.toString());
}
