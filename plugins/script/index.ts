import { definePlugin } from "gantry";
import type { Config } from "./plugin.types.ts";
import { run } from "./steps/run.ts";

export default definePlugin<Config>({
  setup: ({ config }) => ({ steps: { run: run(config) } }),
});
