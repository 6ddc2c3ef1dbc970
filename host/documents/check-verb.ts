import type { StepEntry, TriggerEntry } from "./catalogue.ts";
import type { Checking } from "./checking.ts";
import { listed, meant } from "./shapes.ts";

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
    const own = [...known.keys()].filter((name) => name.startsWith(`${address}/`));
    const among = own.length === 0 ? "" : `; ${address} has ${listed(own)}`;
    const message = address.includes("/")
      ? `no plugin has the ${kind} ${address}`
      : `a ${kind} is named plugin/${kind}${among}`;
    checking.report(pointer, { code, message, ...meantVerb(address, known, checking) });
  } else if (!entry.active) {
    const message = `plugin ${entry.plugin} is not enabled in plugins.json`;
    checking.report(pointer, { code: "PLUGIN_NOT_ENABLED", message, severity: checking.named ? "fault" : "note" });
  }
}

/** What a wrong address may stand for: a misspelt one, the only verb of that name, or the only one of that plugin. */
function meantVerb(
  address: string,
  known: ReadonlyMap<string, StepEntry | TriggerEntry>,
  { catalogue: { workflows } }: Checking,
): { suggestion?: string } {
  const called = /^(?:workflow\s*[:/.]\s*|\.{0,2}\/(?:.*\/)?)([a-z0-9-]+)(?:\.json)?$/i.exec(address)?.[1];
  if (called !== undefined && workflows?.has(called)) return { suggestion: `workflow:${called}` };
  const near = meant(address, known.keys());
  if (near.suggestion !== undefined) return near;
  if (address.includes("/")) return {};
  const name = address.toLowerCase();
  const only = (given: (address: string) => boolean) => {
    const found = [...known.keys()].filter(given);
    return found.length === 1 ? { suggestion: found[0]! } : undefined;
  };
  return only((one) => one.endsWith(`/${name}`)) ?? only((one) => one.startsWith(`${name}/`)) ?? {};
}
