import type { Step } from "gantry";
import type { ReportInput, ReportOutput } from "../plugin.types.ts";
import type { Uploads } from "../uploads.ts";

export function report(uploads: Uploads): Step<ReportInput, ReportOutput> {
  return {
    plan: ({ id, status }) => `reports that ${id} is ${status}`,

    async run({ id, status, bytes, statusCode, message, others, identity }, { idempotencyKey: key, run }) {
      if (status === "uploading") {
        await uploads.progress(id, run.id, bytes ?? undefined, key);
        return { ended: false };
      }
      const state =
        status === "done"
          ? await uploads.end(id, run.id, { status, ...(identity === undefined ? {} : { identity }) }, key)
          : await uploads.end(id, run.id, { status, statusCode, message, others }, key);
      return { ended: state !== undefined };
    },
  };
}
