import { bootId } from "../boot-id.ts";
import type { StartupOptions } from "../builtin/plugin.types.ts";
import type { Clock } from "../clock.ts";
import type { Emit, KeyValue, Log, Trigger } from "../sdk.ts";
import { Backoff, handOver } from "./hand-over.ts";
import { pause } from "./pause.ts";

/** The boot whose first start was last handed over, and whether that is known to have come through. */
interface Kept {
  bootId: string;
  done: boolean;
}

export function startup(keyValue: KeyValue, clock: Clock): Trigger<StartupOptions> {
  // A trigger may be started again while the host lives, with other settings.
  const started = new Set<string>();
  return {
    start(_, emit, { workflow, index, log }) {
      const key = `startup/${workflow}/${index}`;
      if (started.has(key)) return () => {};
      started.add(key);
      const stopping = new AbortController();
      const handedOver = handOverStart({ keyValue, key, emit, log, clock, stopping: stopping.signal }).catch(
        (error: unknown) => log.error("the start of the host starts no run", { err: error }),
      );
      return async () => {
        stopping.abort();
        await handedOver;
      };
    },
  };
}

interface Start {
  keyValue: KeyValue;
  key: string;
  emit: Emit;
  log: Log;
  clock: Clock;
  stopping: AbortSignal;
}

async function handOverStart({ keyValue, key, emit, log, clock, stopping }: Start) {
  const boot = bootId();
  const kept = (await keyValue.get(key)) as Kept | undefined;
  const firstOfBoot = kept?.bootId !== boot || !kept.done;
  if (kept?.bootId !== boot) await keyValue.set(key, { bootId: boot, done: false });
  // A crash before `done` is kept makes the first start come again: the same delivery gives the same run.
  const delivery = { key: "first-of-boot", fingerprint: boot, redelivered: true };
  const emission = { input: {}, event: { bootId: boot, firstOfBoot }, ...(firstOfBoot ? { delivery } : {}) };
  for (const backoff = new Backoff(); (await handOver(emit, emission, log, {})) === "later"; ) {
    await pause(backoff.next(), stopping, clock);
    if (stopping.aborted) return;
  }
  if (firstOfBoot) await keyValue.set(key, { bootId: boot, done: true });
}
