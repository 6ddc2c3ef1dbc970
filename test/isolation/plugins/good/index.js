import { definePlugin } from "gantry";

export default definePlugin({
  setup: ({ keyValue }) => ({
    steps: {
      work: {
        async run() {
          const times = ((await keyValue.get("times")) ?? 0) + 1;
          await keyValue.set("times", times);
          return { times };
        },
      },
    },
  }),
});
