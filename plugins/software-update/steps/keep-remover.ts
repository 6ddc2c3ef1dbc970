import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Step } from "gantry";
import { look, makeFolder } from "gantry/toolkit/folders";
import { inStorage, writeWhole } from "../folders.ts";
import type { KeepRemoverInput, KeepRemoverOutput } from "../plugin.types.ts";
import type { Storage } from "../storage.ts";

export const removeScript = "remove.sh";
const maxBytes = 16 << 20;

export function keepRemover(storage: Storage): Step<KeepRemoverInput, KeepRemoverOutput> {
  return {
    plan: ({ directory }) => `keeps ${directory}/${removeScript}, if there is one`,

    run: ({ module: { name, version }, directory }, { log }) =>
      inStorage(async () => {
        const script = join(directory, removeScript);
        const found = await look(script);
        if (!found?.isFile()) return { kept: false };
        if (found.size > maxBytes) {
          log.warn(`${script} is not kept: it has more than ${maxBytes} bytes`);
          return { kept: false };
        }
        const folder = storage.remover(name, version);
        await makeFolder(folder);
        await writeWhole(join(folder, removeScript), await readFile(script), 0o700);
        return { kept: true };
      }),
  };
}
