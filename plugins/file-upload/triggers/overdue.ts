import type { Emit, Log, PluginError, Trigger } from "gantry";
import { Alarm } from "../alarm.ts";
import type { Ledger } from "../ledger.ts";
import type { Uploads } from "../uploads.ts";

/** How long a run has to take away what is overdue, before another one is started. */
const graceMs = 10_000;

export function overdue(uploads: Uploads, ledger: Ledger): Trigger {
  return {
    async start(_options, emit: Emit, { log }: { log: Log }) {
      let notBefore = 0;
      const nextAt = async () => {
        const at = await ledger.nextExpiry().catch((error) => void log.warn("expiry cannot be read", { err: error }));
        return at === undefined ? undefined : Math.max(at, notBefore);
      };
      const tell = async () => {
        notBefore = Date.now() + graceMs;
        try {
          for (const upload of await ledger.overdueBatches(Date.now())) await emit({ input: { upload } });
        } catch (error) {
          const { code, message } = error as PluginError;
          log.warn(`what is overdue starts no run: ${message}`, { code });
        }
      };
      const alarm = new Alarm(nextAt, tell);
      const forget = uploads.onRequested(alarm.look);
      alarm.look();
      return async () => {
        forget();
        await alarm.stop();
      };
    },
  };
}
