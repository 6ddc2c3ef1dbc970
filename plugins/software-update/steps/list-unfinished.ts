import type { Step } from "gantry";
import type { ListUnfinishedInput, ListUnfinishedOutput } from "../plugin.types.ts";
import type { Reported } from "../reported.ts";
import { type GivenModule, type Names, namesOf } from "../staging.ts";

export function listUnfinished(reported: Reported): Step<ListUnfinishedInput, ListUnfinishedOutput> {
  return {
    plan: ({ modules }) => `looks which of ${modules.length} modules have no end`,

    async run({ modules: given, correlationId }, { run }) {
      const modules: Names[] = [];
      for (const [index, module] of (given as GivenModule[]).entries())
        if (!(await reported.isFinished(run.id, index))) modules.push(namesOf(module, index, correlationId));
      return { modules };
    },
  };
}
