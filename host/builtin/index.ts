// The plugin `host`: wiring only. It is part of every host and always runs in the host's process.

import { systemClock } from "../clock.ts";
import { GantryError } from "../errors.ts";
import { definePlugin, type Plugin } from "../sdk.ts";
import { schedule } from "../triggers/schedule.ts";
import { startup } from "../triggers/startup.ts";
import type { Config } from "./plugin.types.ts";
import type { HostServices } from "./services.ts";
import { fail } from "./steps/fail.ts";
import { reboot } from "./steps/reboot.ts";
import { signal } from "./steps/signal.ts";
import { wait } from "./steps/wait.ts";

export function createHostPlugin(services: HostServices): Plugin {
  return definePlugin<Config>({
    setup: ({ config, keyValue }) => ({
      steps: { wait, signal: signal(services.signals), fail, reboot: reboot(config, services.clock) },
      triggers: { schedule: schedule(keyValue, services.clock), startup: startup(keyValue, services.clock) },
    }),
  });
}

/** For where no engine is: there is nobody who could take a signal. */
export default createHostPlugin({
  clock: systemClock,
  signals: {
    send: () => Promise.reject(new GantryError("PLUGIN_CONTRACT_BROKEN", "a signal needs an engine")),
  },
});
