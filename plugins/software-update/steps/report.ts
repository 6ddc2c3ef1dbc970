import type { Step } from "gantry";
import type { Things } from "../../things/service.ts";
import type { Config, ReportInput, ReportOutput } from "../plugin.types.ts";
import type { Reported } from "../reported.ts";
import { progressOf, statusValue } from "../status-value.ts";
import { worthSaying } from "../thinning.ts";

/** What is not about a module is remembered under this number. */
const noModule = -1;

export function report(
  { featureId, correlationKey }: Config,
  things: Pick<Things, "report">,
  reported: Reported,
): Step<ReportInput, ReportOutput> {
  return {
    plan: ({ status, module }) =>
      `reports ${status}${module === undefined ? "" : ` of ${module.name} ${module.version}`}`,

    async run(input, { run, idempotencyKey: key }) {
      const { status, property, intermediate, module } = input;
      const index = module?.index ?? noModule;
      let progress = progressOf(input);
      if (progress === undefined) return { reported: false };
      const words = JSON.stringify([input.message ?? "", input.statusCode ?? ""]);
      if (intermediate) {
        const isCounted = (input.totalBytes ?? null) !== null;
        const last = await reported.last(run.id, index);
        const worth = worthSaying(last, { status, progress, words, isCounted }, performance.now());
        if (worth === undefined) return { reported: false };
        progress = worth.progress;
      }
      const value = statusValue(input, progress, correlationKey);
      const said = things.report({ feature: featureId, path: `status/${property}`, value, intermediate, key });
      const last = { status, progress: progress ?? 0, words, ...(intermediate ? { at: performance.now() } : {}) };
      // What is only said to have failed goes on being what it was.
      const noted = property === "lastOperation" ? reported.note(run.id, index, last) : undefined;
      await Promise.all([said, noted]);
      return { reported: true };
    },
  };
}
