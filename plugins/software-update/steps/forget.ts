import { rm } from "node:fs/promises";
import type { Step } from "gantry";
import { dropDependencies } from "../dependencies.ts";
import { inStorage } from "../folders.ts";
import type { ForgetInput, ForgetOutput } from "../plugin.types.ts";
import type { Storage } from "../storage.ts";
import type { Turns } from "../turns.ts";

export function forget(storage: Storage, turns: Turns): Step<ForgetInput, ForgetOutput> {
  return {
    plan: ({ name, version }) => `forgets that ${name} ${version} is installed`,

    run: ({ group, name, version }) =>
      turns.take(() =>
        inStorage(async () => {
          await dropDependencies(storage.installedDependencies, { group, name, version });
          await rm(storage.remover(name, version), { recursive: true, force: true });
          return {};
        }),
      ),
  };
}
