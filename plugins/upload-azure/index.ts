import { definePlugin } from "gantry";
import { UploadConnections } from "gantry/toolkit/uploads";
import { checkOptions } from "./options.ts";
import type { Config } from "./plugin.types.ts";
import { put } from "./steps/put.ts";

export default definePlugin<Config>({
  setup({ config }) {
    const connections = new UploadConnections();
    return {
      steps: { put: put(config, connections) },
      services: { "upload-target:azure": { check: checkOptions } },
      stop: () => connections.close(),
    };
  },
});
