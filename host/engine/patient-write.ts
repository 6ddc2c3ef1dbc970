// A write of something that has been decided already, and so cannot be given up while the disk refuses it.

import type { Clock } from "../clock.ts";
import type { GantryError } from "../errors.ts";
import type { HostLog } from "../log.ts";
import type { Run } from "../store/store.ts";
import { pause } from "../triggers/pause.ts";

export interface Patience {
  log: HostLog;
  /** Aborted when the host stops. */
  stopping: AbortSignal;
  clock: Clock;
}

/** What is said while the disk refuses is said of this run. */
export function patienceOf({ id, workflow }: Run, { log, ...others }: Patience): Patience {
  return { log: log.child({ run: id, workflow }), ...others };
}

/**
 * Resolves once `write` has. A store that cannot write now is asked until it can; rejects when the host stops, or when no
 * repetition can help.
 */
export async function untilWritten(write: () => Promise<void>, { log, stopping, clock }: Patience): Promise<void> {
  let told = false;
  for (let delayMs = 100; ; delayMs = Math.min(delayMs * 2, 10_000)) {
    try {
      await write();
      if (told) log.info("the journal can be written again; the run goes on");
      return;
    } catch (error) {
      const { code, retryable } = error as GantryError;
      if (stopping.aborted || retryable === false) throw error;
      log.error("the journal cannot be written; the run waits", { code, err: error });
      told = true;
      await pause(delayMs, stopping, clock);
    }
  }
}
