import { availableParallelism, freemem, loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { MachineLookOutput, MachineService } from "./plugin.types.ts";

const look = async (): Promise<MachineLookOutput> => ({
  load: loadavg()[0]! / availableParallelism(),
  freeMemoryBytes: freemem(),
});

/** How much the machine has to do. */
export const machine: MachineService = {
  look,
  async samples({ everyMs }, listener) {
    const stopped = new AbortController();
    void (async () => {
      while (!stopped.signal.aborted) {
        // A listener that cannot take one takes the next.
        await listener(await look()).catch(() => {});
        await sleep(everyMs, undefined, { signal: stopped.signal }).catch(() => {});
      }
    })();
    return () => stopped.abort();
  },
};
