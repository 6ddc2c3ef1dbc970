import type { Trigger } from "gantry";
import type { MachineService } from "../../machine/plugin.types.ts";
import type { AboveOptions } from "../plugin.types.ts";

/** The load has risen to a limit or above; told once, and again when it has been below since. */
export const above = (machine: MachineService): Trigger<AboveOptions> => ({
  start({ load: limit, everyMs }, emit) {
    let isAbove = false;
    return machine.samples({ everyMs }, async ({ load, freeMemoryBytes }) => {
      if (load >= limit && !isAbove) await emit({ input: { load, freeMemoryBytes } });
      // Not before the run is on disk: where there is none, the next sample is told.
      isAbove = load >= limit;
    });
  },
});
