import type { Step } from "gantry";
import type { CancelInput, CancelOutput } from "../plugin.types.ts";
import type { Uploads } from "../uploads.ts";

export function cancel(uploads: Uploads): Step<CancelInput, CancelOutput> {
  return {
    plan: ({ correlationId }) => `cancels the upload ${correlationId}`,

    async run({ correlationId, statusCode, message }, { run, idempotencyKey }) {
      const said = { statusCode: statusCode ?? "", message: message ?? "" };
      return { upload: await uploads.cancel(correlationId ?? "", said, run.id, idempotencyKey) };
    },
  };
}
