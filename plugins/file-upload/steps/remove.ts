import { lstat, unlink } from "node:fs/promises";
import type { Log, Step } from "gantry";
import type { RemoveInput, RemoveOutput } from "../plugin.types.ts";
import { identityOf } from "../selection.ts";

export const remove: Step<RemoveInput, RemoveOutput> = {
  plan: ({ path }) => `removes ${path}, if it is still as it was uploaded`,

  async run({ path, identity }, { log }) {
    try {
      if (identityOf(await lstat(path, { bigint: true })) !== identity) return kept("it was written since", path, log);
      await unlink(path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // It was uploaded all the same.
      if (code !== "ENOENT") return kept(message, path, log);
    }
    return { removed: true };
  },
};

function kept(why: string, path: string, log: Log): RemoveOutput {
  log.warn(`a file is kept after its upload: ${why}`, { path });
  return { removed: false };
}
