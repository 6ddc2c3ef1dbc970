import type { Stats } from "node:fs";
import { lstat, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PluginError, type Step, type StepContext } from "gantry";
import { look, makeFolder, syncFolder } from "gantry/toolkit/folders";
import { copy } from "../copy.ts";
import { withCodes } from "../failures.ts";
import { checkRemovable, findPlace } from "../places.ts";
import type { Config, MoveInput, MoveOutput } from "../plugin.types.ts";
import { allowMissing, removeTree } from "../removal.ts";
import { turns } from "../turns.ts";

/** Tells one file from another, whatever their names. The number of the disk is no part of it: a reboot may change it. */
type Identity = Pick<Stats, "ino" | "mtimeMs" | "size">;

/** Remembered before the moved one gets its name: what is at either end later may be something else. */
interface Checkpoint {
  original: Identity;
  moved: Identity;
}

export function move(config: Config): Step<MoveInput, MoveOutput> {
  const placesOf = async (input: MoveInput, runDirectory: string) => {
    const allowance = { allowed: config.allowedDirectories, runDirectory };
    const from = await findPlace(input.from, allowance);
    await checkRemovable(from, allowance);
    return { from, to: await findPlace(input.to, allowance) };
  };
  return {
    plan: ({ from, to, replace }) => `moves ${from} to ${to}${replace ? ", in place of what is there" : ""}`,

    check: (input, context) =>
      withCodes(context.signal, async () => {
        const { from, to } = await placesOf(input, context.directory);
        const there = await look(to);
        if (there === undefined) return undefined;
        const last = lastOf(context);
        const isDone = isSame(there, last?.moved) && !isSame(await look(from), last?.original);
        return isDone || from === to ? { path: to } : undefined;
      }),

    run: (input, context) =>
      withCodes(context.signal, async () => {
        const { from, to } = await placesOf(input, context.directory);
        await turns.take(to, context.signal, () => moveOne(from, to, input.replace, context));
        return { path: to };
      }),
  };
}

async function moveOne(from: string, to: string, replace: boolean, context: StepContext): Promise<void> {
  const { signal } = context;
  const there = await look(to);
  const last = lastOf(context);
  // An attempt before this one has come so far.
  if (last !== undefined && isSame(there, last.moved)) return await removeOriginal(from, last.original, signal);
  const found = await look(from);
  if (found === undefined) throw new PluginError("FILES_MISSING", `there is no ${from}`);
  if (to.startsWith(`${from}/`)) throw new PluginError("FILES_EXISTS", `${to} is within ${from} itself`);
  if (there !== undefined && (!replace || there.isDirectory() || found.isDirectory()))
    throw new PluginError("FILES_EXISTS", `${to} is there already`);
  await makeFolder(dirname(to));
  await removePart(to, signal);
  if (!(await renameWithin(from, to, found, context))) await copyAcross(from, to, found, context);
  await removeOriginal(from, found, signal);
}

/** False where the two places are on different file systems. */
async function renameWithin(from: string, to: string, found: Stats, context: StepContext): Promise<boolean> {
  if ((await lstat(dirname(to))).dev !== found.dev) return false;
  await remember(context, { original: found, moved: found });
  context.signal.throwIfAborted();
  try {
    await rename(from, to);
  } catch (error) {
    // Two mounts of one file system.
    if ((error as NodeJS.ErrnoException).code === "EXDEV") return false;
    throw error;
  }
  await syncFolder(dirname(to));
  return true;
}

async function copyAcross(from: string, to: string, found: Stats, context: StepContext): Promise<void> {
  const { signal } = context;
  const part = partPathOf(to);
  try {
    await copy(from, part, found, signal);
    await remember(context, { original: found, moved: await lstat(part) });
    signal.throwIfAborted();
    await rename(part, to);
  } catch (error) {
    await removePart(to, new AbortController().signal).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(to));
}

/** What has come to its place meanwhile stays. For two names of one file the system's rename does nothing. */
async function removeOriginal(from: string, original: Identity, signal: AbortSignal): Promise<void> {
  const found = await look(from);
  if (found !== undefined && isSame(found, original)) {
    if (found.isDirectory()) await removeTree(from, signal);
    else await unlink(from).catch(allowMissing);
  }
  await syncFolder(dirname(from)).catch(allowMissing);
}

async function removePart(to: string, signal: AbortSignal): Promise<void> {
  const part = partPathOf(to);
  const found = await look(part);
  if (found?.isDirectory()) await removeTree(part, signal);
  else if (found !== undefined) await unlink(part);
}

const lastOf = ({ lastCheckpoint }: StepContext) => lastCheckpoint as Checkpoint | undefined;

const remember = ({ checkpoint }: StepContext, { original, moved }: Checkpoint) =>
  checkpoint({ original: identityOf(original), moved: identityOf(moved) });

const identityOf = ({ ino, mtimeMs, size }: Identity) => ({ ino, mtimeMs, size });

// A folder whose content is being removed has another time and size than before.
const isSame = (found: Stats | undefined, other: Identity | undefined) =>
  found !== undefined &&
  found.ino === other?.ino &&
  (found.isDirectory() || (found.mtimeMs === other.mtimeMs && found.size === other.size));

const partPathOf = (path: string) => join(dirname(path), `.${basename(path)}.gantry-move`);
