import { definePlugin } from "gantry";

export default definePlugin({
  setup: ({ keyValue }) => ({
    services: { echo: { say: async (value) => value } },
    steps: {
      say: { run: async (input) => input },
      tell: {
        async run(input, { log, progress, checkpoint }) {
          log.debug("told");
          progress({ percent: 50 });
          await checkpoint(1);
          return input;
        },
      },
      ask: {
        async run({ times }) {
          await Promise.all(Array.from({ length: times }, () => keyValue.get("nothing")));
          return {};
        },
      },
    },
  }),
});
