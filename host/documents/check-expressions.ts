// The expressions in a value of a workflow: can they be read, does what they read exist, and is what they give of use?

import { hasExpression, parseText } from "../expressions/index.ts";
import type { Json } from "../sdk.ts";
import { type Checking, memberAt } from "./checking.ts";
import { kindsOfWhole } from "./expression-kinds.ts";
import { pointerTo } from "./pointer.ts";
import { inWords } from "./schema-words.ts";
import type { Kind } from "./shapes.ts";
import { findMissing, maybeSkipped, type Visible } from "./visible.ts";

/** Reports all faults of the expressions in a value, however deep they are. `nullable`: null means something there. */
export function checkExpressions(
  checking: Checking,
  pointer: string,
  value: unknown,
  visible: Visible,
  { nullable = false } = {},
): void {
  if (typeof value === "string") {
    if (hasExpression(value)) checkText(checking, pointer, value, visible, nullable);
  } else if (typeof value === "object" && value !== null)
    for (const [key, inner] of Object.entries(value))
      checkExpressions(checking, pointer + pointerTo([key]), inner, visible, { nullable });
}

function checkText(checking: Checking, pointer: string, text: string, visible: Visible, nullable: boolean): void {
  const contexts = visible.anyContext === true ? {} : { contexts: [...visible.contexts.keys()] };
  const { faults, references } = parseText(text, contexts);
  for (const { code, message, suggestion, offset, length } of faults)
    checking.report(pointer, { code, message, within: { offset, length }, ...(suggestion && { suggestion }) });
  for (const { path, segments, mayBeNull } of references) {
    if (!visible.contexts.has(String(path[0]))) continue;
    const missing = findMissing(path, visible);
    if (missing !== undefined) {
      const { segment, message, suggestion } = missing;
      const within = segments[segment]!;
      checking.report(pointer, { code: "REFERENCE_UNKNOWN", message, within, ...(suggestion && { suggestion }) });
      continue;
    }
    const id = nullable || mayBeNull ? undefined : maybeSkipped(path, visible);
    if (id === undefined) continue;
    const message = `step ${id} may have been skipped, and its outputs are null then; default(value, fallback) is for that`;
    checking.report(pointer, { code: "STEP_MAY_BE_SKIPPED", message, within: segments[1]!, severity: "note" });
  }
}

/**
 * Reports an expression that cannot give what is wanted at its place: it has other text around it where not just a text
 * is wanted, or gives another kind of value.
 */
export function checkKind(
  checking: Checking,
  pointer: string,
  value: unknown,
  wanted: readonly Kind[] | "any",
  visible: Visible,
): void {
  if (typeof value !== "string" || !hasExpression(value)) return;
  const parsed = parseText(value);
  if (parsed.faults.length > 0) return;
  if (!parsed.whole) {
    if (wanted.includes("string")) return;
    const message = `${memberAt(pointer)} must be one whole \${{ }}, with nothing before or after it`;
    checking.report(pointer, { code: "VALUE_WRONG", message });
    return;
  }
  const kinds = wanted === "any" ? undefined : kindsOfWhole(parsed, visible);
  if (wanted === "any" || kinds === undefined || kinds.some((kind) => wanted.includes(kind))) return;
  const message = `${memberAt(pointer)} must be ${inWords(wanted)}, and this expression gives ${inWords(kinds)}`;
  checking.report(pointer, { code: "VALUE_WRONG", message });
}

export const conditionKinds = ["boolean"] as const;
export const numberKinds = ["integer", "number"] as const;

/** Whether a value is, or holds, an expression: then only the run shows what it is. */
export function holdsExpression(value: Json | undefined): boolean {
  if (typeof value === "string") return hasExpression(value);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsExpression);
}
