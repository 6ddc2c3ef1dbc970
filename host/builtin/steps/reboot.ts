import { bootId } from "../../boot-id.ts";
import type { Clock } from "../../clock.ts";
import { parseDuration } from "../../duration.ts";
import { PluginError, type Step, type StepContext } from "../../sdk.ts";
import { pause } from "../../triggers/pause.ts";
import { askForReboot, rebootWay } from "../ask-for-reboot.ts";
import type { Config, RebootInput, RebootOutput } from "../plugin.types.ts";

/** What is known of a reboot before it: the boot it is to end, and when to ask for it (epoch milliseconds). */
interface Intent {
  bootId: string;
  at: number;
}

export function reboot(config: Config, clock: Clock): Step<RebootInput, RebootOutput> {
  return {
    async run({ reason, delay }, context) {
      const intent =
        (context.lastCheckpoint as Intent | undefined) ?? (await intend(clock.now() + parseDuration(delay)!, context));
      if (intent.bootId !== bootId()) return { bootId: bootId(), previousBootId: intent.bootId };
      await pause(intent.at - clock.now(), context.signal, clock);
      context.signal.throwIfAborted();
      context.log.warn("the device reboots", reason === undefined ? {} : { reason });
      await askForReboot(rebootWay(config, process.env), context);
      context.progress({ message: "waiting for the reboot" });
      return aborted(context.signal);
    },
    plan: ({ reason }) => `reboots the device${reason === undefined ? "" : `: ${reason}`}`,
  };
}

/** On disk before anything happens: else the next start could not tell a device that has rebooted from one that must. */
async function intend(at: number, { checkpoint }: StepContext): Promise<Intent> {
  if (bootId() === "")
    throw new PluginError(
      "HOST_REBOOT_FAILED",
      "the kernel's boot id cannot be read, so a reboot could not be noticed",
    );
  const intent: Intent = { bootId: bootId(), at };
  await checkpoint({ ...intent });
  return intent;
}

/** Rejects with the reason of the abort. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
