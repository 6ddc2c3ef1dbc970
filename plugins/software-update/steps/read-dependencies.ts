import { PluginError, type Step } from "gantry";
import { findDependencies, numbered, readDependencies as readFrom } from "../dependencies.ts";
import { inStorage } from "../folders.ts";
import type { ReadDependenciesInput, ReadDependenciesOutput } from "../plugin.types.ts";
import type { Storage } from "../storage.ts";

export function readDependencies(storage: Storage): Step<ReadDependenciesInput, ReadDependenciesOutput> {
  return {
    plan: () => "reads what is installed",

    run: ({ directory, dependencies }, { log }) =>
      inStorage(async () => {
        if (directory !== undefined) await checkModule(directory, dependencies);
        const files = await readFrom(storage.installedDependencies);
        for (const { path, dependency } of files)
          if (dependency === undefined)
            log.warn(`${path} does not say what is installed`, { code: "SOFTWARE_UPDATE_DEPENDENCY_INVALID" });
        return { installed: numbered(files) };
      }),
  };
}

async function checkModule(directory: string, dependencies: string): Promise<void> {
  const folder = await findDependencies(directory, dependencies);
  const files = folder === undefined ? [] : await readFrom(folder);
  const broken = files.find(({ dependency }) => dependency === undefined);
  if (broken === undefined) return;
  throw new PluginError("SOFTWARE_UPDATE_DEPENDENCY_INVALID", `${broken.path} lacks its group, name or version`);
}
