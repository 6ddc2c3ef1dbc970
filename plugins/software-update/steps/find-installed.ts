import { join } from "node:path";
import { PluginError, type Step } from "gantry";
import { look } from "gantry/toolkit/folders";
import { matching } from "../dependencies.ts";
import { inStorage } from "../folders.ts";
import type { FindInstalledInput, FindInstalledOutput } from "../plugin.types.ts";
import type { Storage } from "../storage.ts";
import { removeScript } from "./keep-remover.ts";

export function findInstalled(storage: Storage): Step<FindInstalledInput, FindInstalledOutput> {
  return {
    plan: ({ name, version }) => `looks what there is of ${name} ${version}`,

    run: ({ group, name, version }) =>
      inStorage(async () => {
        const folder = storage.remover(name, version);
        if ((await look(join(folder, removeScript)))?.isFile()) return { directory: folder };
        const known = await matching(storage.installedDependencies, { group, name, version });
        if (known.length > 0) return { directory: null };
        throw new PluginError("SOFTWARE_UPDATE_NOT_INSTALLED", `${name} ${version} is not installed`);
      }),
  };
}
