import { definePlugin } from "gantry";
import type { Config } from "./plugin.types.ts";
import { fetch } from "./steps/fetch.ts";

export default definePlugin<Config>({
  setup: ({ config }) => ({ steps: { fetch: fetch(config) } }),
});
