import type { Step } from "gantry";
import { findDependencies, takeDependencies } from "../dependencies.ts";
import { inStorage } from "../folders.ts";
import type { SaveDependenciesInput, SaveDependenciesOutput } from "../plugin.types.ts";
import type { Storage } from "../storage.ts";
import type { Turns } from "../turns.ts";

export function saveDependencies(storage: Storage, turns: Turns): Step<SaveDependenciesInput, SaveDependenciesOutput> {
  return {
    plan: ({ directory, dependencies }) => `takes over what ${directory}/${dependencies} says`,

    run: ({ directory, dependencies }) =>
      turns.take(() =>
        inStorage(async () => {
          const folder = await findDependencies(directory, dependencies);
          const files = folder === undefined ? 0 : await takeDependencies(folder, storage.installedDependencies);
          return { files };
        }),
      ),
  };
}
