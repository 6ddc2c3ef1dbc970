import { GantryError } from "../../errors.ts";
import type { Step } from "../../sdk.ts";
import type { WaitInput, WaitOutput } from "../plugin.types.ts";

/** The engine waits by itself, from its journal, so that a wait of days costs nothing and survives a restart. */
export const wait: Step<WaitInput, WaitOutput> = {
  async run() {
    throw new GantryError("PLUGIN_CONTRACT_BROKEN", "host/wait is the engine's own and cannot be called");
  },
  plan({ duration, until, for: name }) {
    if (duration !== undefined) return `waits ${duration}`;
    if (until !== undefined) return `waits until it is between ${until.from} and ${until.to}`;
    return `waits for the signal ${name}`;
  },
};
