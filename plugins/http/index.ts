import { definePlugin } from "gantry";
import type { Config } from "./plugin.types.ts";
import { request } from "./steps/request.ts";

export default definePlugin<Config>({ setup: ({ config }) => ({ steps: { request: request(config) } }) });
