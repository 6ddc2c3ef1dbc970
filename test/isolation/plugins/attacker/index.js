import { setTimeout as sleep } from "node:timers/promises";
import { definePlugin } from "gantry";
import { attacks } from "./attacks.js";
import { attempts } from "./attempts.js";

export default definePlugin({
  async setup(context) {
    const { onStart, onStop } = context.config;
    if (onStart !== undefined) await attacks[onStart](context);
    return {
      services: { attacker: { say: async (value) => value } },
      steps: {
        attack: {
          async run({ which, wait = true }, stepContext) {
            await attacks[which](stepContext, context);
            // Whatever it did is to have its effect before the step could end.
            if (wait) await sleep(600_000);
            return {};
          },
        },
        try: {
          async run(input) {
            const outcomes = {};
            for (const [name, attempt] of Object.entries(attempts)) {
              try {
                outcomes[name] = `done: ${await attempt(input)}`;
              } catch (error) {
                outcomes[name] = error.code ?? String(error);
              }
            }
            return outcomes;
          },
        },
        work: { run: async ({ value = 1 }) => ({ value }) },
      },
      stop: () => onStop && attacks[onStop](context),
    };
  },
});
