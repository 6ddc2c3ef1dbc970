import { lstat, unlink } from "node:fs/promises";
import type { Log, Step } from "gantry";
import type { RemoveInput, RemoveOutput } from "../plugin.types.ts";
import { identityOf } from "../selection.ts";

export const remove: Step<RemoveInput, RemoveOutput> = {
  plan: ({ path }) => `removes ${path}, if it is still as it was uploaded`,

  async run({ path, identity }, { log }) {
    const stats = await lstat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (stats === undefined) return { removed: true };
    if (identityOf(stats) !== identity) return kept(path, log);
    await unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    return { removed: true };
  },
};

function kept(path: string, log: Log): RemoveOutput {
  log.warn("a file is kept after its upload: it was written since", { path });
  return { removed: false };
}
