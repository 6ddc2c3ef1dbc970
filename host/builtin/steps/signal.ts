import type { Json, Step } from "../../sdk.ts";
import type { SignalInput, SignalOutput } from "../plugin.types.ts";
import type { HostServices } from "../services.ts";

export function signal(signals: HostServices["signals"]): Step<SignalInput, SignalOutput> {
  return {
    run: ({ name, value }, { idempotencyKey }) => signals.send({ id: idempotencyKey, name, value: value as Json }),
    plan: ({ name }) => `sends the signal ${name}`,
  };
}
