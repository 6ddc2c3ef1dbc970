// 1 GiB over loopback to disk, hashed and synced, against `curl` to disk followed by `sha256sum`, in turn and on one
// disk. Server and clients are processes of their own. Memory is the peak of the process beyond that of one which
// fetches a small file.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runStep, stepContext } from "../test/support/step-context.ts";
import { peakMb, run, timed } from "./clients.ts";
import { median, row } from "./figures.ts";

const self = fileURLToPath(import.meta.url);
const block = 1 << 20;
const sizes = { large: 1 << 30, small: block };
const rounds = 5;

const [role, ...args] = process.argv.slice(2);
if (role === "server") await serve();
else if (role === "fetch") await fetchOnce(args[0]!, args[1]!, args[2]!);
else await compare();

/** Gives the same random block again and again; prints its port and the digests. */
async function serve(): Promise<void> {
  const bytes = randomBytes(block);
  const digestOf = (size: number) => {
    const hash = createHash("sha256");
    for (let at = 0; at < size; at += block) hash.update(bytes);
    return hash.digest("hex");
  };
  const server = createServer((request, response) => {
    const size = sizes[request.url!.slice(1) as keyof typeof sizes];
    response.writeHead(200, { "content-length": size });
    send(response, bytes, size);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ port, large: digestOf(sizes.large), small: digestOf(sizes.small) }));
}

function send(response: ServerResponse, bytes: Buffer, size: number): void {
  let sent = 0;
  const more = () => {
    while (sent < size) {
      sent += bytes.length;
      if (!response.write(bytes)) return void response.once("drain", more);
    }
    response.end();
  };
  more();
}

/** The step as the host calls it; prints the seconds it took and the peak of the memory. */
async function fetchOnce(url: string, directory: string, SHA256: string): Promise<void> {
  using context = stepContext();
  const begun = performance.now();
  await runStep("download", "fetch", { url, directory, filename: "file", checksums: { SHA256 } }, context);
  const seconds = (performance.now() - begun) / 1000;
  console.log(JSON.stringify({ seconds, peakMb: peakMb() }));
}

async function compare(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "gantry-bench-download-"));
  const server = spawn(process.execPath, [self, "server"], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const served = await firstLine(server);
    const url = (size: string) => `http://127.0.0.1:${served.port}/${size}`;
    const gantry = (size: "large" | "small"): { seconds: number; peakMb: number } => {
      const command = [self, "fetch", url(size), directory, String(served[size])];
      const figures = JSON.parse(execFileSync(process.execPath, command, { encoding: "utf8" }));
      rmSync(join(directory, "file"));
      return figures;
    };
    const peer = () => {
      const file = join(directory, "peer");
      const fetched = timed(() => run("curl", "--silent", "--output", file, url("large")));
      const hashed = timed(() => run("sha256sum", file));
      // The same implementation of SHA-256 as Node's: sha256sum of some systems does not use what the processor has.
      const hashedFast = timed(() => run("openssl", "dgst", "-sha256", file));
      const synced = timed(() => run("sync", file));
      rmSync(file);
      return { fetched, hashed, hashedFast, synced };
    };
    const own: number[] = [];
    const peaks: number[] = [];
    const peers: ReturnType<typeof peer>[] = [];
    const small = median(Array.from({ length: 3 }, () => gantry("small").peakMb));
    for (let round = 0; round < rounds; round++) {
      const { seconds, peakMb } = gantry("large");
      own.push(seconds);
      peaks.push(peakMb - small);
      peers.push(peer());
    }
    const ownSeconds = median(own);
    const peerSeconds = median(peers.map(({ fetched, hashed }) => fetched + hashed));
    const syncSeconds = median(peers.map(({ synced }) => synced));
    const fastSeconds = median(peers.map(({ fetched, hashedFast }) => fetched + hashedFast));
    const shaSeconds = median(peers.map(({ hashed }) => hashed));
    console.log(row("Gantry: 1 GiB fetched, hashed, synced, median of 5", `${ownSeconds.toFixed(2)} s`));
    console.log(row("curl, then sha256sum", `${peerSeconds.toFixed(2)} s (sha256sum ${shaSeconds.toFixed(2)} s)`));
    console.log(row("curl, then sha256sum, then sync", `${(peerSeconds + syncSeconds).toFixed(2)} s`));
    console.log(row("curl, then openssl dgst -sha256, then sync", `${(fastSeconds + syncSeconds).toFixed(2)} s`));
    console.log(
      row("ratio to curl and sha256sum, without their sync", `${(peerSeconds / ownSeconds).toFixed(1)} times`),
    );
    const fastRatio = (fastSeconds + syncSeconds) / ownSeconds;
    console.log(row("ratio to curl and openssl, synced", `${fastRatio.toFixed(1)} times`));
    console.log(row("peak memory beyond that of 1 MiB, median", `${median(peaks).toFixed(0)} MB`));
    console.log(row("peak memory beyond that of 1 MiB, worst", `${Math.max(...peaks).toFixed(0)} MB`));
  } finally {
    server.kill();
    rmSync(directory, { recursive: true });
  }
}

async function firstLine(child: ChildProcess): Promise<Record<string, string | number>> {
  const [chunk] = (await once(child.stdout!, "data")) as [Buffer];
  return JSON.parse(chunk.toString());
}
