// The expressions in a value of a workflow: can they be read, does what they read exist, and is what they give of use?

import { type ExpressionFault, hasExpression, parseText, type Tree, wholePathOf } from "../expressions/index.ts";
import type { Json } from "../sdk.ts";
import { type Checking, memberAt } from "./checking.ts";
import { kindsOfWhole } from "./expression-kinds.ts";
import { contextHint, foreignMarks, meantOutcome } from "./habits.ts";
import { pointerTo } from "./pointer.ts";
import { alternatives, inWords } from "./schema-words.ts";
import { type Kind, kindOf, kindsOf, meant, memberNames } from "./shapes.ts";
import { findMissing, maybeSkipped, shapeAt, type Visible } from "./visible.ts";

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
    else checkMarks(checking, pointer, value);
  } else if (typeof value === "object" && value !== null)
    for (const [key, inner] of Object.entries(value)) {
      if (hasExpression(key)) noteMarkedKey(checking, pointer + pointerTo([key]));
      checkExpressions(checking, pointer + pointerTo([key]), inner, visible, { nullable });
    }
}

/** Notes an expression in the marks of another language, which is handed on as it stands. */
function checkMarks(checking: Checking, pointer: string, text: string): void {
  const found = foreignMarks(text);
  if (found === undefined) return;
  const { suggestion, ...within } = found;
  const message = "this is a text, as it stands; an expression is marked by ${{ }}";
  checking.report(pointer, { code: "EXPRESSION_NOT_MARKED", message, within, suggestion, severity: "note" });
}

function noteMarkedKey({ report }: Checking, pointer: string): void {
  const message = "a key stands for itself; expressions are read in values only";
  report(pointer, { code: "EXPRESSION_NOT_MARKED", message, where: "key", severity: "note" });
}

function checkText(checking: Checking, pointer: string, text: string, visible: Visible, nullable: boolean): void {
  const contexts = visible.anyContext === true ? {} : { contexts: [...visible.contexts.keys()] };
  const { faults, references, parts } = parseText(text, contexts);
  for (const fault of faults) {
    const { code, message, suggestion, offset, length } = unknownContext(fault, text, visible);
    checking.report(pointer, { code, message, within: { offset, length }, ...(suggestion && { suggestion }) });
  }
  for (const part of parts) if (typeof part !== "string") checkChoices(checking, pointer, part, visible);
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
 * Reports a comparison with what the other side never is, such as `steps.a.status == 'success'` or
 * `steps.a.outputs.exitCode == '0'`.
 */
function checkChoices(checking: Checking, pointer: string, tree: Tree, visible: Visible): void {
  if (tree.kind === "compare" && (tree.operator === "==" || tree.operator === "!="))
    for (const [side, other] of [
      [tree.left, tree.right],
      [tree.right, tree.left],
    ] as const) {
      const path = wholePathOf(side);
      const shape = path === undefined ? undefined : shapeAt(path, visible);
      const choices = shape?.enum;
      if (other.kind !== "literal") continue;
      if (!Array.isArray(choices)) {
        const kinds = kindsOf(shape)?.filter((kind) => kind !== "null") ?? [];
        const plain = plainOf(other.value, kinds);
        if (plain === undefined) continue;
        const message = `\`${path!.join(".")}\` is ${inWords(kinds)} and never equals a text`;
        checking.report(pointer, { code: "VALUE_WRONG", message, suggestion: plain });
        continue;
      }
      if (typeof other.value !== "string") continue;
      if (choices.includes(other.value)) continue;
      const words = alternatives(choices.map((choice) => JSON.stringify(choice)));
      const message = `\`${path!.join(".")}\` is ${words}, and never "${other.value}"`;
      const texts = choices.filter((choice) => typeof choice === "string");
      const near = { ...meantOutcome(other.value, texts), ...meant(other.value, texts) };
      checking.report(pointer, { code: "VALUE_WRONG", message, ...near });
    }
  for (const inner of innerOf(tree)) checkChoices(checking, pointer, inner, visible);
}

/** The number, or true or false, that was written as a text where only such a one can be equal. */
function plainOf(value: Json, kinds: readonly Kind[]): string | undefined {
  if (typeof value !== "string" || kinds.includes("string")) return undefined;
  if (!/^(?:true|false|-?(?:0|[1-9]\d*)(?:\.\d+)?)$/.test(value)) return undefined;
  const kind = kindOf(JSON.parse(value) as Json);
  return kinds.includes(kind) || (kind === "integer" && kinds.includes("number")) ? value : undefined;
}

function innerOf(tree: Tree): Tree[] {
  if (tree.kind === "compare") return [tree.left, tree.right];
  if (tree.kind === "call" || tree.kind === "logical") return tree.args;
  return tree.kind === "not" ? [tree.of] : [];
}

/** Of a name that is no context: what it may be the end of, or what stands here for a word of another system. */
function unknownContext(fault: ExpressionFault, text: string, visible: Visible): ExpressionFault {
  if (fault.code !== "EXPRESSION_UNKNOWN_CONTEXT" || fault.suggestion !== undefined) return fault;
  const name = text.slice(fault.offset, fault.offset + fault.length);
  if (visible.steps.has(name)) return { ...fault, suggestion: `steps.${name}` };
  for (const context of ["inputs", "vars", "progress", "error", "run"]) {
    const shape = visible.contexts.get(context);
    if (shape !== undefined && memberNames(shape).includes(name)) return { ...fault, suggestion: `${context}.${name}` };
  }
  const hint = contextHint(name);
  return hint === undefined ? fault : { ...fault, message: `nothing here is called ${name}; ${hint}` };
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
