import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { Step } from "gantry";
import { look, makeFolder, syncFolder } from "gantry/toolkit/folders";
import { inStorage, isBaseName } from "../folders.ts";
import { idOf, keptModules, markName, removeKept } from "../kept-modules.ts";
import type { ReuseInput, ReuseOutput } from "../plugin.types.ts";
import type { Storage } from "../storage.ts";
import type { Turns } from "../turns.ts";

export function reuse(storage: Storage, turns: Turns): Step<ReuseInput, ReuseOutput> {
  return {
    plan: ({ module }) => `takes over what is kept of ${module.name} ${module.version}`,

    run: ({ module, directory, filenames }) =>
      turns.take(() =>
        inStorage(async () => {
          const kept = (await keptModules(storage.modules)).find(({ id }) => id === idOf(module));
          if (kept === undefined) return { files: [] };
          const files: string[] = [];
          await makeFolder(directory);
          for (const name of new Set(filenames)) {
            const isThere = isBaseName(name) && name !== markName && (await look(join(kept.path, name)))?.isFile();
            if (!isThere) continue;
            await rename(join(kept.path, name), join(directory, name));
            files.push(name);
          }
          await syncFolder(directory);
          await removeKept(kept.path);
          return { files };
        }),
      ),
  };
}
