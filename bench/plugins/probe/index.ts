import { definePlugin } from "gantry";

export default definePlugin({
  setup: () => ({ steps: { now: { run: async () => ({ at: performance.timeOrigin + performance.now() }) } } }),
});
