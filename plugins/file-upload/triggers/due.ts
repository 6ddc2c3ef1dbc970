import type { Emit, KeyValue, Log, PluginError, Trigger } from "gantry";
import { nextTick, type Ticks } from "../activation.ts";
import { Alarm } from "../alarm.ts";
import type { Schedule } from "../schedule.ts";

/** After an emission that may succeed later. */
const retryMs = 5000;

export function due(schedule: Schedule, periodMs: number, keyValue: KeyValue): Trigger {
  return {
    async start(_options, emit: Emit, { workflow, index, log }: { workflow: string; index: number; log: Log }) {
      const key = `ticks/${workflow}/${index}`;
      let ticks = (await keyValue.get(key)) as unknown as Ticks | undefined;
      let notBefore = 0;
      const nextAt = async () => {
        const at = nextTick(schedule.activation, ticks, periodMs, Date.now());
        return at === undefined ? undefined : Math.max(at, notBefore);
      };
      const tick = async () => {
        const { id } = schedule.activation;
        const count = ticks?.activation === id ? ticks.count + 1 : 1;
        // Repeated after a crash it is the same one, and starts no second run.
        const delivery = { key, fingerprint: `${id}/${count}`, redelivered: true };
        try {
          await emit({ input: {}, delivery });
        } catch (error) {
          const { code, message, retryable } = error as PluginError;
          log.warn(`a periodic upload starts no run: ${message}`, { code });
          notBefore = Date.now() + retryMs;
          if (retryable === true) return;
        }
        ticks = { activation: id, count, lastAt: Date.now() };
        await keyValue.set(key, { ...ticks }).catch((error) => log.warn("a tick cannot be kept", { err: error }));
      };
      const alarm = new Alarm(nextAt, tick);
      const forget = schedule.onChange(alarm.look);
      alarm.look();
      return async () => {
        forget();
        await alarm.stop();
      };
    },
  };
}
