import { definePlugin, type PluginContext } from "gantry";
import { UploadConnections } from "gantry/toolkit/uploads";
import { checkOptions } from "./options.ts";
import type { Config } from "./plugin.types.ts";
import { put } from "./steps/put.ts";

export default definePlugin({
  setup({ config }: PluginContext<Config>) {
    const connections = new UploadConnections();
    return {
      steps: { put: put(config, connections) },
      services: { "upload-target:webdav": { check: checkOptions } },
      stop: () => connections.close(),
    };
  },
});
