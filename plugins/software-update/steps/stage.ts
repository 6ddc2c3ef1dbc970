import type { Step } from "gantry";
import { makeFolder } from "gantry/toolkit/folders";
import { inStorage } from "../folders.ts";
import type { Config, StageInput, StageOutput } from "../plugin.types.ts";
import { type GivenModule, namesOf, stageModule } from "../staging.ts";
import type { Storage } from "../storage.ts";

export function stage(config: Config, storage: Storage): Step<StageInput, StageOutput> {
  return {
    plan: ({ modules }) => `makes folders for ${modules.length} modules`,

    async run({ modules: given, correlationId }, { run }) {
      const directory = storage.operation(run.id);
      const modules = (given as GivenModule[]).map((module, index) =>
        stageModule(module, namesOf(module, index, correlationId), directory, config),
      );
      await inStorage(async () => {
        await makeFolder(directory);
        await Promise.all(modules.map((module) => makeFolder(module.directory)));
      });
      return { directory, modules };
    },
  };
}
