// A host in the test's own process: fast to start, and a debugger reaches the plugins in it.

import { startHost } from "../host.ts";
import { readHost } from "../loading/read-host.ts";
import { createLog } from "../log.ts";
import type { Life, LifeOptions } from "./life.ts";
import { performAlone } from "./lone-step.ts";
import { MovableClock } from "./movable-clock.ts";

export async function beginHere({ config, data, logLevel, aheadMs, onLine }: LifeOptions): Promise<Life> {
  const clock = new MovableClock(aheadMs);
  const log = createLog({ level: logLevel, pretty: false, write: onLine });
  const host = await startHost({ documents: readHost(config), dataDirectory: data, log, clock });
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  const needsProcess = async () => {
    throw new Error("a host in the test's own process cannot be killed: start it with `process: true`");
  };
  return {
    pid: process.pid,
    gone,
    advance: async (durationMs) => clock.advance(durationMs),
    step(lone, signal, onProgress) {
      const controller = new AbortController();
      const abort = () => controller.abort(signal?.reason);
      if (signal?.aborted) abort();
      signal?.addEventListener("abort", abort, { once: true });
      const { findStep } = host.plugins;
      return performAlone(lone, { findStep, dataDirectory: data, log, clock, controller, onProgress });
    },
    dieAt: needsProcess,
    withhold: needsProcess,
    kill: needsProcess,
    async stop() {
      await host.stop();
      resolve();
    },
  };
}
