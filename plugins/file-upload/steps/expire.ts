import type { Step } from "gantry";
import type { ExpireInput, ExpireOutput } from "../plugin.types.ts";
import type { Uploads } from "../uploads.ts";

export function expire(uploads: Uploads): Step<ExpireInput, ExpireOutput> {
  return {
    plan: ({ upload }) => `gives up what is overdue of the upload ${upload}`,

    run: async ({ upload }, { idempotencyKey }) => ({ expired: await uploads.expire(upload, idempotencyKey) }),
  };
}
