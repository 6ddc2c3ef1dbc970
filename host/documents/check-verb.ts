import { nearest } from "../nearest.ts";
import type { StepEntry, TriggerEntry } from "./catalogue.ts";
import { type Document, faultAt } from "./document.ts";
import type { Fault } from "./fault.ts";

/** Whether a plugin has the step or trigger at this pointer, and is enabled. */
export function checkVerb(
  document: Document,
  pointer: string,
  address: string,
  known: ReadonlyMap<string, StepEntry | TriggerEntry>,
  kind: "step" | "trigger",
  { named }: { named: boolean },
): Fault[] {
  const entry = known.get(address);
  if (entry === undefined) {
    const suggestion = nearest(address, known.keys());
    const code = kind === "step" ? "STEP_NOT_FOUND" : "TRIGGER_NOT_FOUND";
    const message = address.includes("/")
      ? `no plugin has the ${kind} ${address}`
      : `a ${kind} is named plugin/${kind}`;
    return [faultAt(document, pointer, { code, message, ...(suggestion === undefined ? {} : { suggestion }) })];
  }
  if (entry.active) return [];
  const message = `plugin ${entry.plugin} is not enabled in plugins.json`;
  return [faultAt(document, pointer, { code: "PLUGIN_NOT_ENABLED", message, severity: named ? "fault" : "note" })];
}
