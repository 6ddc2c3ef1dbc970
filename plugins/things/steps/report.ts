import type { Json, JsonObject, Step } from "gantry";
import type { ReportInput, ReportOutput } from "../plugin.types.ts";
import type { Things } from "../service.ts";

export function report(things: Pick<Things, "report">): Step<ReportInput, ReportOutput> {
  return {
    plan: ({ feature, path }) => `reports ${path === "" ? "all properties" : path} of feature ${feature}`,
    async run({ thing, feature, path, value, sendNull, intermediate, headers }, { idempotencyKey: key }) {
      const of = { ...(thing === undefined ? {} : { thing }), feature };
      const more = headers === undefined ? {} : { headers: headers as JsonObject };
      await things.report({ ...of, path, value: (value ?? null) as Json, sendNull, intermediate, ...more, key });
      return {};
    },
  };
}
