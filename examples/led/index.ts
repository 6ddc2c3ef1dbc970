import { access } from "node:fs/promises";
import { definePlugin, type PluginContext, PluginUnavailable } from "gantry";
import type { Config } from "./plugin.types.ts";
import { set } from "./steps/set.ts";

export default definePlugin({
  async setup({ config }: PluginContext<Config>) {
    await access(config.folder).catch((cause: unknown) => {
      throw new PluginUnavailable(`there is no ${config.folder}`, "Load the driver of the lights (modprobe).", {
        cause,
      });
    });
    return { steps: { set: set(config) } };
  },
});
