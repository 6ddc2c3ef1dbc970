import type { Step } from "gantry";
import { autoUpload, checkPeriod } from "../activation.ts";
import type { ActivateInput, ActivateOutput } from "../plugin.types.ts";
import type { Schedule } from "../schedule.ts";

export function activate(schedule: Schedule): Step<ActivateInput, ActivateOutput> {
  return {
    plan: ({ from, to }) => `lets uploads begin by themselves from ${from} to ${to}`,

    async run({ from, to }) {
      const wrong = `invalid 'activate' operation parameters: ${JSON.stringify({ from, to })}`;
      const period = checkPeriod(from, to, wrong);
      return { autoUpload: autoUpload(await schedule.set({ active: true, ...period })) } as ActivateOutput;
    },
  };
}
