import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline, Readable } from "node:stream";
import { createGzip, createZstdCompress } from "node:zlib";
import { PluginError, type Step } from "gantry";
import { isThere, makeFolder, syncFolder } from "gantry/toolkit/folders";
import { Budget, limitsOf } from "../budget.ts";
import { sourceFailure, writeFailure } from "../failures.ts";
import { fingerprintOfFile } from "../fingerprint.ts";
import { findPlace } from "../places.ts";
import type { Config, CreateInput, CreateOutput } from "../plugin.types.ts";
import type { Records } from "../records.ts";
import { release } from "../release.ts";
import { type Format, formatOf, Selection } from "../selection.ts";
import { TarWriter } from "../tar-writer.ts";
import { turns } from "../turns.ts";

export function create(config: Config, records: Records): Step<CreateInput, CreateOutput> {
  const placesOf = async (input: CreateInput, runDirectory: string) => {
    const allowed = config.allowedDirectories;
    const root = await findPlace(input.directory, allowed, runDirectory);
    const folder = await findPlace(dirname(input.path), allowed, runDirectory);
    return { root, path: join(folder, basename(input.path)) };
  };
  return {
    plan: ({ directory, include, path }) =>
      `packs ${include === undefined ? "everything" : include.join(", ")} in ${directory} into ${path}`,

    async check(input, { signal, directory: runDirectory }) {
      const { root, path } = await placesOf(input, runDirectory);
      const record = await records.read(path);
      if (record === undefined || record.result !== (await fingerprintOfFile(path))) return undefined;
      const selection = new Selection(input, root, path);
      // What a crash has left beside it is for `run` to remove.
      if (await isThere(selection.partPath)) return undefined;
      const source = await selection.fingerprint(signal).catch(() => undefined);
      signal.throwIfAborted();
      return source === record.source ? (record.output as CreateOutput) : undefined;
    },

    async run(input, { signal, directory: runDirectory }) {
      const format = formatOf(input);
      const { root, path } = await placesOf(input, runDirectory);
      const selection = new Selection(input, root, path);
      // What is packed has no ratio.
      const budget = new Budget({ ...limitsOf(input, config), maxRatio: Number.POSITIVE_INFINITY }, 1);
      return turns.take(path, signal, async () => {
        try {
          await makeFolder(dirname(path));
          await rm(selection.partPath, { force: true });
          const file = await open(selection.partPath, "wx", 0o600);
          const output: CreateOutput = { path, directory: dirname(path), fileCount: 0, sizeBytes: 0, digests: {} };
          try {
            const packed = pack(selection, budget, output, signal);
            await write(packed, format, file, output);
            await file.sync();
          } finally {
            await file.close();
          }
          signal.throwIfAborted();
          await rename(selection.partPath, path);
          await syncFolder(dirname(path));
          const result = (await fingerprintOfFile(path)) ?? "";
          await records.write({ target: path, source: selection.packedFingerprint(), result, output });
          return output;
        } catch (error) {
          await rm(selection.partPath, { force: true }).catch(() => {});
          signal.throwIfAborted();
          throw writeFailure(error);
        }
      });
    },
  };
}

async function* pack(selection: Selection, budget: Budget, output: CreateOutput, signal: AbortSignal) {
  const writer = await TarWriter.for(selection.root, signal);
  let isEmpty = true;
  try {
    for await (const found of selection.entries(signal)) {
      isEmpty = false;
      budget.entry(found.stats.isFile() ? Number(found.stats.size) : 0);
      if (found.stats.isFile()) output.fileCount++;
      yield* writer.entry(found);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw sourceFailure(error);
  }
  if (isEmpty) throw new PluginError("ARCHIVE_SOURCE_EMPTY", `nothing in ${selection.root} is to be packed`);
  yield TarWriter.end();
}

/** Fills in size and digest. */
async function write(packed: AsyncIterable<Buffer>, format: Format, file: FileHandle, output: CreateOutput) {
  const hash = createHash("sha256");
  const compressor = format === "tar.gz" ? createGzip() : createZstdCompress();
  // What goes wrong shows where the output is read.
  const compressed = pipeline(Readable.from(packed, { highWaterMark: 1 }), compressor, () => {});
  try {
    for await (const chunk of compressed as AsyncIterable<Buffer>) {
      hash.update(chunk);
      output.sizeBytes += chunk.length;
      await file.writeFile(chunk);
      release(chunk);
    }
  } finally {
    compressed.destroy();
  }
  output.digests.SHA256 = hash.digest("hex");
}
