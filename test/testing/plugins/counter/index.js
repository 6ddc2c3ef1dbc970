import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { definePlugin, PluginError } from "gantry";

const linesOf = (file) => (existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []);

export default definePlugin({
  setup({ config, directory, secret, log }) {
    return {
      steps: {
        count: {
          async run({ to, hold }, context) {
            appendFileSync(join(directory, "starts"), `${context.idempotencyKey}\n`);
            const from = context.lastCheckpoint ?? config.start;
            for (let number = from; number < to; number++) {
              context.signal.throwIfAborted();
              await context.checkpoint(number + 1);
              context.progress({ percent: ((number + 1) / to) * 100, message: `at ${number + 1}` });
              log.info("counted", { number: number + 1 });
            }
            if (hold)
              await new Promise((_, reject) => {
                context.signal.addEventListener("abort", () => reject(context.signal.reason));
              });
            return { reached: to, from };
          },
          plan: ({ to }) => `counts to ${to}`,
          check: async ({ to }) => (to === config.start ? { reached: to, from: to } : undefined),
        },
        pin: { run: async () => ({ length: (await secret("pin")).length }) },
        fail: {
          async run({ until = Number.POSITIVE_INFINITY }) {
            const file = join(directory, "failures");
            const failures = linesOf(file).length;
            if (failures >= until) return {};
            appendFileSync(file, "failed\n");
            throw new PluginError("COUNTER_STUCK", "it is stuck", { details: { failures } });
          },
        },
      },
    };
  },
});
