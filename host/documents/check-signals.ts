// Signals: what one document sends, another one ought to wait for.

import { hasExpression, parseText } from "../expressions/index.ts";
import type { CallableWorkflow } from "./catalogue.ts";
import type { Checking } from "./checking.ts";
import { meant } from "./shapes.ts";

/** A note where nothing sends the signal that is waited for here, or nothing waits for the one that is sent here. */
export function checkSignal(checking: Checking, pointer: string, name: unknown, use: "sent" | "awaited"): void {
  const { workflows } = checking.catalogue;
  if (workflows === undefined || typeof name !== "string" || hasExpression(name)) return;
  const { names, patterns } = signalsOf(workflows)[use === "sent" ? "awaited" : "sent"];
  if (names.has(name) || patterns.some((pattern) => pattern.test(name))) return;
  const message =
    use === "sent"
      ? `nothing in the workflows here waits for the signal ${name}, or is aborted by it`
      : `no step in the workflows here sends the signal ${name}; then only \`gantry signal\` does`;
  checking.report(pointer, { code: "SIGNAL_UNMATCHED", message, severity: "note", ...meant(name, names) });
}

interface Signals {
  names: ReadonlySet<string>;
  /** Of names that hold expressions. */
  patterns: readonly RegExp[];
}

const known = new WeakMap<object, { sent: Signals; awaited: Signals }>();

function signalsOf(workflows: ReadonlyMap<string, CallableWorkflow>): { sent: Signals; awaited: Signals } {
  let found = known.get(workflows);
  if (found === undefined) {
    const all = [...workflows.values()];
    const sent = signals(all.flatMap(({ signals }) => signals.sent));
    found = { sent, awaited: signals(all.flatMap(({ signals }) => signals.awaited)) };
    known.set(workflows, found);
  }
  return found;
}

function signals(written: readonly string[]): Signals {
  const unique = new Set(written);
  const names = new Set([...unique].filter((name) => !hasExpression(name)));
  return { names, patterns: [...unique].filter(hasExpression).map(patternOf) };
}

function patternOf(name: string): RegExp {
  const parts = parseText(name).parts.map((part) => (typeof part === "string" ? RegExp.escape(part) : ".*"));
  return new RegExp(`^${parts.join("")}$`, "s");
}
