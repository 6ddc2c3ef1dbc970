import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PluginError, type Step } from "gantry";
import { Checksums } from "../checksums.ts";
import { alreadyThere, findDestination, makeDestination } from "../destination.ts";
import { checkSpace } from "../disk-space.ts";
import { tooLarge, wrongSize } from "../failures.ts";
import { digestFile } from "../file-digests.ts";
import { limitOf } from "../limits.ts";
import { findSource } from "../local-source.ts";
import type { Part } from "../part.ts";
import type { Parts } from "../parts.ts";
import type { Config, CopyInput, CopyOutput } from "../plugin.types.ts";
import { type Report, reporter } from "../reports.ts";
import { turns } from "../turns.ts";

const readBytes = 256 * 1024;

export function copy(config: Config, parts: Parts): Step<CopyInput, CopyOutput> {
  const target = ({ directory, filename }: CopyInput, source: string) => {
    if (directory === undefined) throw new PluginError("DOWNLOAD_DIRECTORY_REQUIRED", "a copy needs `directory`");
    return { directory, filename: filename ?? basename(source), allowedDirectories: config.allowedDirectories };
  };
  return {
    plan(input) {
      if (input.inPlace) return `verifies ${input.path} where it is`;
      const { directory, filename } = target(input, input.path);
      return `copies ${input.path} to ${join(directory, filename)}`;
    },

    async check(input, { signal }) {
      const checksums = new Checksums(input);
      const source = await findSource(input);
      // The verifying is the work then.
      if (input.inPlace) return undefined;
      const { path, directory } = await findDestination(target(input, source));
      const found = await alreadyThere(path, input.sizeBytes, checksums, signal);
      return found && { path, directory, ...found };
    },

    async run(input, context) {
      const { signal } = context;
      const checksums = new Checksums(input);
      const source = await findSource(input);
      const file = await openSource(source);
      try {
        const sizeBytes = await checkedSize(file, source, input, config);
        if (input.inPlace) {
          const digester = checksums.digester();
          await digestFile(file, sizeBytes, digester, signal);
          const digests = digester.digests();
          refuseMismatch(source, checksums, digests);
          return { path: source, directory: dirname(source), sizeBytes, digests };
        }
        const { path, directory } = await makeDestination(target(input, source));
        return await turns.take(path, signal, () =>
          parts.use(
            path,
            checksums,
            signal,
            async (part) => {
              await part.restart();
              await checkSpace(part.path, sizeBytes);
              await copyInto(part, file, sizeBytes, reporter(context.progress), signal);
              const digests = await part.finish();
              refuseMismatch(source, checksums, digests);
              if (part.bytes !== sizeBytes) throw wrongSize(source, part.bytes, sizeBytes);
              await part.putInPlace(path, input.fileMode);
              return { path, directory, sizeBytes, digests };
            },
            () => "discard",
          ),
        );
      } finally {
        await file.close();
      }
    },
  };
}

async function openSource(source: string): Promise<FileHandle> {
  try {
    // The path has no links any more; one that somebody puts there now is not followed.
    return await open(source, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    throw new PluginError("DOWNLOAD_SOURCE_MISSING", (cause as Error).message, { cause });
  }
}

async function checkedSize(file: FileHandle, source: string, input: CopyInput, config: Config): Promise<number> {
  const { size } = await file.stat();
  const { sizeBytes: wanted } = input;
  if (wanted > 0 && size !== wanted) throw wrongSize(source, size, wanted);
  const limitBytes = limitOf(input, config);
  if (size > limitBytes) throw tooLarge(source, limitBytes);
  return size;
}

async function copyInto(part: Part, file: FileHandle, sizeBytes: number, report: Report, signal: AbortSignal) {
  while (part.bytes < sizeBytes) {
    signal.throwIfAborted();
    const buffer = Buffer.allocUnsafeSlow(Math.min(readBytes, sizeBytes - part.bytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, part.bytes);
    if (bytesRead === 0) return;
    await part.add(buffer.subarray(0, bytesRead));
    report(part.bytes, sizeBytes);
  }
}

function refuseMismatch(source: string, checksums: Checksums, digests: Record<string, string>): void {
  const algorithm = checksums.mismatch(digests);
  if (algorithm === undefined) return;
  const details = { algorithm, actual: digests[algorithm]! };
  throw new PluginError("DOWNLOAD_CHECKSUM_MISMATCH", `${source} has another ${algorithm} checksum than expected`, {
    details,
  });
}
