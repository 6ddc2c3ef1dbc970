import { rmdir, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { PluginError, type Step } from "gantry";
import { look, syncFolder } from "gantry/toolkit/folders";
import { withCodes } from "../failures.ts";
import { checkRemovable, findPlace } from "../places.ts";
import type { Config, RemoveInput, RemoveOutput } from "../plugin.types.ts";
import { allowMissing, removeTree } from "../removal.ts";

export function remove(config: Config): Step<RemoveInput, RemoveOutput> {
  const allowed = config.allowedDirectories;
  return {
    plan: ({ path, recursive }) => `removes ${path}${recursive ? ", with all that is in it" : ""}`,

    check: (input, { signal, directory }) =>
      withCodes(signal, async () => {
        const path = await findPlace(input.path, { allowed, runDirectory: directory });
        return (await look(path)) === undefined ? { path } : undefined;
      }),

    run: (input, { signal, directory }) =>
      withCodes(signal, async () => {
        const allowance = { allowed, runDirectory: directory };
        const path = await findPlace(input.path, allowance);
        await checkRemovable(path, allowance);
        const found = await look(path);
        if (found === undefined) return { path };
        if (!found.isDirectory()) await unlink(path).catch(allowMissing);
        else if (input.recursive) await removeTree(path, signal);
        else await removeEmpty(path);
        await syncFolder(dirname(path));
        return { path };
      }),
  };
}

async function removeEmpty(path: string): Promise<void> {
  await rmdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOTEMPTY") throw new PluginError("FILES_NOT_EMPTY", `${path} is not empty`);
    allowMissing(error);
  });
}
