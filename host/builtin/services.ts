import type { Clock } from "../clock.ts";
import type { Json } from "../sdk.ts";

/** What the host's own steps need of the host, beside what every plugin gets. */
export interface HostServices {
  clock: Clock;
  signals: {
    /**
     * Hands a signal to all runs that wait for it or are aborted by it; resolves once it is durable. A signal whose id
     * was sent before is not sent again. `received`: whether anything took it; `queued`: how many runs it ended that had
     * not begun.
     */
    send(signal: { id: string; name: string; value: Json }): Promise<{ received: boolean; queued: number }>;
  };
}
