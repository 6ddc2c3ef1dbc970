import { definePlugin } from "gantry";

export default definePlugin({
  setup: () => ({
    steps: {
      "crash-once": {
        async run(_, { lastCheckpoint, checkpoint }) {
          if (lastCheckpoint !== undefined) return {};
          await checkpoint("tried");
          process.exit(1);
        },
      },
      crash: { run: () => process.exit(1) },
    },
  }),
});
