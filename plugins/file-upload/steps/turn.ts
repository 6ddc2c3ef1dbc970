import { stat } from "node:fs/promises";
import type { Step } from "gantry";
import type { TurnInput, TurnOutput } from "../plugin.types.ts";
import { identityOf } from "../selection.ts";
import type { Uploads } from "../uploads.ts";

export function turn(uploads: Uploads): Step<TurnInput, TurnOutput> {
  return {
    plan: ({ id }) => `waits until ${id} may be transferred`,

    async run({ id }, { signal, run }) {
      const { realPath } = await uploads.place(id, run.id, signal);
      // A file that is gone is the transfer's to tell.
      const stats = await stat(realPath, { bigint: true }).catch(() => undefined);
      return { identity: stats === undefined ? "" : identityOf(stats) };
    },
  };
}
