import type { Step } from "gantry";
import { inStorage } from "../folders.ts";
import { idOf, keep } from "../kept-modules.ts";
import type { StoreInput, StoreOutput } from "../plugin.types.ts";
import type { Storage } from "../storage.ts";
import type { Turns } from "../turns.ts";

export function store(storage: Storage, turns: Turns): Step<StoreInput, StoreOutput> {
  return {
    plan: ({ module }) => `keeps the artifacts of ${module.name} ${module.version}`,

    run: ({ module, directory }, { idempotencyKey }) =>
      turns.take(() =>
        inStorage(async () => {
          const { name } = await keep(storage.modules, directory, idOf(module), idempotencyKey);
          return { path: storage.reportedModule(name) };
        }),
      ),
  };
}
