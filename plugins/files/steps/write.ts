import { constants } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PluginError, type Step } from "gantry";
import { look, makeFolder, syncFolder } from "gantry/toolkit/folders";
import { withCodes } from "../failures.ts";
import { findPlace } from "../places.ts";
import type { Config, WriteInput, WriteOutput } from "../plugin.types.ts";
import { turns } from "../turns.ts";

export function write(config: Config): Step<WriteInput, WriteOutput> {
  const allowed = config.allowedDirectories;
  return {
    plan: (input) => `writes ${contentOf(input).length} bytes to ${input.path}`,

    check: (input, { signal, directory }) =>
      withCodes(signal, async () => {
        const content = contentOf(input);
        const path = await findPlace(input.path, { allowed, runDirectory: directory });
        // What a crash has left beside it is for `run` to remove.
        if ((await look(partPathOf(path))) !== undefined) return undefined;
        return (await isAlready(path, content, input.mode)) ? { path, sizeBytes: content.length } : undefined;
      }),

    run: (input, { signal, directory }) =>
      withCodes(signal, async () => {
        const content = contentOf(input);
        const path = await findPlace(input.path, { allowed, runDirectory: directory });
        await turns.take(path, signal, () => writeWhole(path, content, modeOf(input.mode), signal));
        return { path, sizeBytes: content.length };
      }),
  };
}

async function writeWhole(path: string, content: Buffer, mode: number, signal: AbortSignal): Promise<void> {
  if ((await look(path))?.isDirectory()) throw new PluginError("FILES_EXISTS", `${path} is a folder`);
  await makeFolder(dirname(path));
  const part = partPathOf(path);
  await rm(part, { force: true });
  try {
    const file = await open(part, "wx", 0o600);
    try {
      await file.writeFile(content, { signal });
      // As the step says, whatever the umask.
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Whether it is a file with this content and these rights. */
async function isAlready(path: string, content: Buffer, mode: string): Promise<boolean> {
  const found = await look(path);
  if (!found?.isFile() || found.size !== content.length || (found.mode & 0o7777) !== modeOf(mode)) return false;
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    return (await file.readFile()).equals(content);
  } catch {
    // What cannot be read is replaced.
    return false;
  }
}

/** Throws FILES_CONTENT_REQUIRED. */
function contentOf({ content, json }: WriteInput): Buffer {
  if ((content === undefined) === (json === undefined))
    throw new PluginError("FILES_CONTENT_REQUIRED", "a file has either `content` or `json`");
  return Buffer.from(content ?? `${JSON.stringify(json, null, 2)}\n`);
}

const modeOf = (text: string) => Number.parseInt(text, 8);

const partPathOf = (path: string) => join(dirname(path), `.${basename(path)}.gantry-write`);
