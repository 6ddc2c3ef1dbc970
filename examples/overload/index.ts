import { definePlugin, type PluginContext } from "gantry";
import type { MachineService } from "../machine/plugin.types.ts";
import type { Config } from "./plugin.types.ts";
import { above } from "./triggers/above.ts";

export default definePlugin({
  setup: ({ services }: PluginContext<Config, { machine: MachineService }>) => ({
    triggers: { above: above(services.machine) },
  }),
});
