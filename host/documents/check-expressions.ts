// The expressions in a value of a workflow: can they be read, and does what they read exist?

import { hasExpression, parseText } from "../expressions/index.ts";
import type { Json } from "../sdk.ts";
import { type Document, faultAt } from "./document.ts";
import type { Fault } from "./fault.ts";
import { pointerTo } from "./pointer.ts";
import { findMissing, type Visible } from "./visible.ts";

/** All faults of the expressions in a value, however deep they are. */
export function checkExpressions(
  document: Document,
  pointer: string,
  value: Json | undefined,
  visible: Visible,
): Fault[] {
  if (typeof value === "string") return hasExpression(value) ? checkText(document, pointer, value, visible) : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    checkExpressions(document, pointer + pointerTo([key]), inner, visible),
  );
}

function checkText(document: Document, pointer: string, text: string, visible: Visible): Fault[] {
  const { faults, references } = parseText(
    text,
    visible.anyContext === true ? {} : { contexts: [...visible.contexts.keys()] },
  );
  const found = faults.map(({ code, message, suggestion, offset, length }) =>
    faultAt(document, pointer, {
      code,
      message,
      within: { offset, length },
      ...(suggestion === undefined ? {} : { suggestion }),
    }),
  );
  for (const { path, segments } of references) {
    if (!visible.contexts.has(String(path[0]))) continue;
    const missing = findMissing(path, visible);
    if (missing === undefined) continue;
    const { segment, message, suggestion } = missing;
    found.push(
      faultAt(document, pointer, {
        code: "REFERENCE_UNKNOWN",
        message,
        within: segments[segment]!,
        ...(suggestion === undefined ? {} : { suggestion }),
      }),
    );
  }
  return found;
}

/** Whether a value is, or holds, an expression: then only the run shows what it is. */
export function holdsExpression(value: Json | undefined): boolean {
  if (typeof value === "string") return hasExpression(value);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsExpression);
}
