// Unpacking against `tar` and `unzip`: 2,000 small files and some large ones, 300 MB in all. Gantry has read the archive
// for its digest, checked every name, and synced every file when it is done; the peers are timed with a `sync` after
// them. Memory is the peak of the process beyond that of one which unpacks a small archive.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runStep, stepContext } from "../test/support/step-context.ts";
import { peakMb, run, timed } from "./clients.ts";
import { median, row } from "./figures.ts";

const self = fileURLToPath(import.meta.url);
const rounds = 5;

const [role, ...args] = process.argv.slice(2);
if (role === "extract") await extract(args[0]!, args[1]!);
else compare();

async function extract(path: string, directory: string): Promise<void> {
  using context = stepContext();
  const begun = performance.now();
  await runStep("archive", "extract", { path, directory }, context);
  console.log(JSON.stringify({ seconds: (performance.now() - begun) / 1000, peakMb: peakMb() }));
}

function compare(): void {
  const folder = mkdtempSync(join(tmpdir(), "gantry-bench-archives-"));
  const path = (name: string) => join(folder, name);
  try {
    makeContent(path("content"), 2000, 8);
    makeContent(path("little"), 1, 0);
    run("tar", "-C", folder, "-czf", path("a.tar.gz"), "content");
    run("tar", "-C", folder, "-czf", path("little.tar.gz"), "little");
    run("tar", "-C", folder, "--zstd", "-cf", path("a.tar.zst"), "content");
    execFileSync("zip", ["-q", "-r", path("a.zip"), "content"], { cwd: folder });
    const target = path("target");
    const own = (archive: string): { seconds: number; peakMb: number } => {
      const output = execFileSync(process.execPath, [self, "extract", path(archive), target], { encoding: "utf8" });
      rmSync(target, { recursive: true });
      return JSON.parse(output);
    };
    const small = median(Array.from({ length: 3 }, () => own("little.tar.gz").peakMb));
    for (const [archive, program, ...options] of [
      ["a.tar.gz", "tar", "-C", target, "-xzf", path("a.tar.gz")],
      ["a.tar.zst", "tar", "-C", target, "--zstd", "-xf", path("a.tar.zst")],
      ["a.zip", "unzip", "-q", "-d", target, path("a.zip")],
    ] as [string, string, ...string[]][]) {
      const figures: ReturnType<typeof own>[] = [];
      const peers: { unpacked: number; synced: number }[] = [];
      for (let round = 0; round < rounds; round++) {
        figures.push(own(archive));
        mkdirSync(target);
        const unpacked = timed(() => run(program, ...options));
        peers.push({ unpacked, synced: timed(() => run("sync", "-f", target)) });
        rmSync(target, { recursive: true });
      }
      const seconds = median(figures.map((one) => one.seconds));
      const peer = median(peers.map(({ unpacked, synced }) => unpacked + synced));
      const alone = median(peers.map(({ unpacked }) => unpacked));
      console.log(row(`${archive}: archive/extract, synced`, `${seconds.toFixed(2)} s`));
      console.log(row(`${program}, then sync`, `${peer.toFixed(2)} s (${program} alone ${alone.toFixed(2)} s)`));
      console.log(row("ratio", `${(peer / seconds).toFixed(2)} times`));
      const more = median(figures.map((one) => one.peakMb - small));
      console.log(row("peak memory beyond that of a small archive", `${more.toFixed(0)} MB`));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Small files of 4 KiB that compress, and large ones of 36 MB that do so by half. */
function makeContent(folder: string, small: number, large: number): void {
  for (let index = 0; index < small; index++) {
    const place = join(folder, `folder-${index % 50}`);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `small-${index}`), `${index} some text\n`.repeat(256));
  }
  for (let index = 0; index < large; index++) {
    const half = randomBytes(256 * 1024);
    const block = Buffer.concat([half, Buffer.alloc(half.length, "text ")]);
    writeFileSync(join(folder, `large-${index}`), Buffer.concat(Array<Buffer>(72).fill(block)));
  }
}
