import type { StepEntry, TriggerEntry } from "./catalogue.ts";
import type { Checking } from "./checking.ts";
import { meant } from "./shapes.ts";

/** Whether a plugin has the step or trigger at this pointer, and is enabled. */
export function checkVerb(
  checking: Checking,
  pointer: string,
  address: string,
  known: ReadonlyMap<string, StepEntry | TriggerEntry>,
  kind: "step" | "trigger",
): void {
  const entry = known.get(address);
  if (entry === undefined) {
    const code = kind === "step" ? "STEP_NOT_FOUND" : "TRIGGER_NOT_FOUND";
    const message = address.includes("/")
      ? `no plugin has the ${kind} ${address}`
      : `a ${kind} is named plugin/${kind}`;
    checking.report(pointer, { code, message, ...meant(address, known.keys()) });
  } else if (!entry.active) {
    const message = `plugin ${entry.plugin} is not enabled in plugins.json`;
    checking.report(pointer, { code: "PLUGIN_NOT_ENABLED", message, severity: checking.named ? "fault" : "note" });
  }
}
