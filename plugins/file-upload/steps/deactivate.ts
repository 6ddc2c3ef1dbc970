import type { Step } from "gantry";
import { autoUpload } from "../activation.ts";
import type { DeactivateInput, DeactivateOutput } from "../plugin.types.ts";
import type { Schedule } from "../schedule.ts";

export function deactivate(schedule: Schedule): Step<DeactivateInput, DeactivateOutput> {
  return {
    plan: () => "lets uploads no longer begin by themselves",

    async run() {
      const activation = await schedule.set({ active: false, from: null, till: null });
      return { autoUpload: autoUpload(activation) } as DeactivateOutput;
    },
  };
}
