// One file of 1 GiB and 1,000 of 8 KiB to a server of each provider: as a durable run of a real host, the small ones also
// by the step alone, against `rclone copy` to the same server, and for HTTP against `curl --parallel`, too. In turn, each
// client a process of its own; median of three rounds. For one provider: node bench/upload.ts S3

import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "../host/sdk.ts";
import { measured } from "./clients.ts";
import { median, row } from "./figures.ts";
import { servers, type UploadServer } from "./upload-servers.ts";

const gantry = fileURLToPath(new URL("../bin/gantry", import.meta.url));
const alone = fileURLToPath(new URL("./upload-step.ts", import.meta.url));
const rounds = 3;
const mib = 1 << 20;
const [largeBytes, smallBytes, tinyBytes] = [1024 * mib, mib, 8192];
const names = Array.from({ length: 1000 }, (_, index) => `file-${index}`);
/** How many small files at the same time; rclone would take four by itself. */
const atATime = 32;

interface Taken {
  /** From the start of the process to its end. */
  seconds: number;
  /** Of it, the run: a host that is there already need not start. */
  runSeconds?: number;
  peakMb: number;
}

const directory = mkdtempSync(join(tmpdir(), "gantry-bench-upload-"));
const folderOf = (name: string) => {
  mkdirSync(join(directory, name), { recursive: true });
  return join(directory, name);
};
try {
  writeRandom(join(folderOf("large"), "file"), largeBytes);
  writeRandom(join(folderOf("small"), "file"), smallBytes);
  for (const name of names) writeFileSync(join(folderOf("many"), name), randomBytes(tinyBytes));
  const chosen = process.argv.slice(2);
  for (const [provider, open] of Object.entries(servers))
    if (chosen.length === 0 || chosen.includes(provider)) await compare(provider, open);
} finally {
  rmSync(directory, { recursive: true });
}

async function compare(provider: string, open: () => Promise<UploadServer>): Promise<void> {
  const none = (): Taken[] => [];
  const [large, largePeer, largeCurl] = [none(), none(), none()];
  const [many, manyPeer, manyCurl, steps] = [none(), none(), none(), none()];
  let small = 0;
  for (let round = 0; round < rounds; round++) {
    // Some keep all they have in memory.
    await using server = await open();
    const file = (name: string) => join(directory, name, "file");
    const one = async (name: string) => [server.step(`own-${name}`, file(name), "file")];
    const own = async (name: string, files: number, bytes: number, steps: JsonObject[]) => {
      const taken = await run(join(directory, `${provider}-${round}-${name}`), steps);
      await check(server, `own-${name}`, files, bytes);
      return taken;
    };
    const peer = async (name: string, files: number, bytes: number) => {
      const { target, environment } = server.remote(`peer-${name}`);
      const args = ["copy", join(directory, name), target, "--transfers", String(atATime)];
      const taken = await measured("rclone", args, { RCLONE_CONFIG: "", ...environment });
      await check(server, `peer-${name}`, files, bytes);
      return taken;
    };
    const each = server.step("own-many", join(directory, "many", "${{ name }}"), "${{ name }}");
    const all = [{ forEach: names, as: "name", maxParallel: atATime, steps: [each] }];
    small = Math.max(small, (await own("small", 1, smallBytes, await one("small"))).peakMb);
    large.push(await own("large", 1, largeBytes, await one("large")));
    largePeer.push(await peer("large", 1, largeBytes));
    if (server.url !== undefined) {
      largeCurl.push(await curl(server.url("curl-large", ""), join(directory, "large"), ["file"]));
      await check(server, "curl-large", 1, largeBytes);
      manyCurl.push(await curl(server.url("curl-many", ""), join(directory, "many"), names));
      await check(server, "curl-many", names.length, names.length * tinyBytes);
    }
    many.push(await own("many", names.length, names.length * tinyBytes, all));
    steps.push(await stepAlone(each));
    manyPeer.push(await peer("many", names.length, names.length * tinyBytes));
  }
  say(`${provider}: 1 GiB, Gantry`, large);
  say(`${provider}: 1 GiB, rclone copy`, largePeer, large);
  if (largeCurl.length > 0) say(`${provider}: 1 GiB, curl --upload-file`, largeCurl, large);
  say(`${provider}: ${names.length} files, ${atATime} at a time, Gantry`, many);
  say(`${provider}: ${names.length} files, the step alone`, steps);
  say(`${provider}: ${names.length} files, ${atATime} at a time, rclone copy`, manyPeer, many);
  say(`${provider}: the same, beside the step alone`, manyPeer, steps);
  if (manyCurl.length > 0) say(`${provider}: ${names.length} files, curl --parallel`, manyCurl, many);
  const above = Math.max(...large.map(({ peakMb }) => peakMb)) - small;
  console.log(row(`${provider}: peak memory of 1 GiB beyond that of 1 MiB`, `${above.toFixed(0)} MB`));
  console.log(row("load of the machine", loadavg()[0]!.toFixed(1)));
}

/** `gantry run`: host, journal and all. */
async function run(folder: string, steps: JsonObject[]): Promise<Taken> {
  mkdirSync(folder);
  const path = (name: string) => join(folder, name);
  const plugins = ["upload-http", "upload-s3", "upload-azure"].map((plugin) => ({ plugin }));
  writeFileSync(path("plugins.json"), JSON.stringify({ plugins }));
  writeFileSync(path("upload.json"), JSON.stringify({ name: "upload", steps }));
  const options = ["--config", path("plugins.json"), "--data", path("data"), "--log-level", "info"];
  const taken = await measured(gantry, ["run", path("upload.json"), ...options]);
  const [, runMs] = /"durationMs":(\d+),"msg":"run succeeded"/.exec(taken.said)!;
  return { ...taken, runSeconds: Number(runMs) / 1000 };
}

/** The same files again, as the host calls the step, with nothing around it. */
async function stepAlone(step: JsonObject): Promise<Taken> {
  const taken = await measured(process.execPath, [
    alone,
    JSON.stringify(step),
    join(directory, "many"),
    String(atATime),
  ]);
  return { ...taken, runSeconds: Number(taken.said) };
}

async function curl(url: string, folder: string, files: string[]): Promise<Taken> {
  const config = join(directory, "curl");
  writeFileSync(config, files.map((name) => `upload-file = "${join(folder, name)}"\nurl = "${url}${name}"\n`).join(""));
  const many = ["--parallel", "--parallel-max", String(atATime)];
  return await measured("curl", ["--fail", "--silent", ...many, "--config", config]);
}

async function check(server: UploadServer, folder: string, files: number, bytes: number): Promise<void> {
  const has = await server.has(folder);
  if (has.files !== files || has.bytes !== bytes) throw new Error(`${folder}: ${JSON.stringify(has)}`);
}

/** `own`: with which it is compared. */
function say(what: string, taken: Taken[], own?: Taken[]): void {
  const seconds = median(taken.map((each) => each.seconds));
  const peak = Math.max(...taken.map(({ peakMb }) => peakMb));
  const runs = (given: Taken[]) => median(given.map((each) => each.runSeconds!));
  const compared =
    own === undefined
      ? `, the run ${runs(taken).toFixed(2)} s`
      : `, ${(seconds / median(own.map((each) => each.seconds))).toFixed(2)} times, ${(seconds / runs(own)).toFixed(2)} times the run`;
  console.log(row(what, `${seconds.toFixed(2)} s${compared}, ${peak.toFixed(0)} MB`));
}

function writeRandom(path: string, bytes: number): void {
  const file = openSync(path, "w");
  for (let at = 0; at < bytes; at += mib) writeSync(file, randomBytes(mib));
  closeSync(file);
}
