import { definePlugin, parseDuration } from "gantry";
import { closeIdleConnections } from "./idle-connections.ts";
import { Parts } from "./parts.ts";
import type { Config } from "./plugin.types.ts";
import { copy } from "./steps/copy.ts";
import { fetch } from "./steps/fetch.ts";

export default definePlugin<Config>({
  setup({ config, directory, log }) {
    const parts = new Parts({ directory, keepMs: parseDuration(config.keepParts)!, log });
    return {
      steps: { fetch: fetch(config, parts), copy: copy(config, parts) },
      async stop() {
        closeIdleConnections();
        await parts.stop();
      },
    };
  },
});
