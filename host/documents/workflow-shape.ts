// Whether a workflow has the shape that its schema asks for. Each step is checked by itself, without those inside it, so
// that the time it takes grows with the document and not with the square of its faults.

import workflowSchema from "../../schemas/workflow.schema.json" with { type: "json" };
import { hasExpression, parseText } from "../expressions/index.ts";
import { isObject } from "../is-object.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { membersOfForm } from "./check-form.ts";
import { habitAt } from "./habits.ts";
import { parentOf, parsePointer, valueAt } from "./pointer.ts";
import { compileSchema, type SchemaProblem } from "./schema-check.ts";
import { listed } from "./shapes.ts";

type Part = "workflow" | "steps" | "step";
type Check = (value: Json) => SchemaProblem[];

const compiled = new Map<Part, Check>();

/** Compiled at first use. The lists in a part are empty when it is checked, so what may stand in them is left out. */
function checkOf(part: Part): Check {
  let check = compiled.get(part);
  if (check === undefined) {
    const { $defs: all, ...workflow } = workflowSchema;
    const $defs = { ...all, steps: { type: "array" } };
    const schema = part === "workflow" ? { ...workflow, $defs } : { ...$defs[part], $defs };
    check = compileSchema(schema as unknown as JsonObject);
    compiled.set(part, check);
  }
  return check;
}

export function shapeProblems(value: Json): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  const open: { value: Json; pointer: string; part: Part }[] = [];
  open.push({ value, pointer: "", part: "workflow" });
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { pointer, part } = next;
    const { alone, inner } = apart(next.value);
    for (const problem of withHabits(checkOf(part)(alone), part, next.value)) {
      if (isFaultyExpression(next.value, problem.pointer)) continue;
      const meant = problem.pointer === "/if" ? meantCondition((next.value as JsonObject).if) : {};
      problems.push({ ...problem, ...meant, pointer: pointer + problem.pointer });
    }
    for (const { key, value: list } of inner.reverse()) {
      const place = `${pointer}/${key}`;
      if (Array.isArray(list))
        for (const [index, step] of list.entries())
          open.push({ value: step, pointer: `${place}/${index}`, part: "step" });
      else open.push({ value: list, pointer: place, part: "steps" });
    }
  }
  return problems;
}

/** A condition without the marks of an expression, as other systems take it. */
function meantCondition(text: Json | undefined): { suggestion?: string } {
  if (typeof text !== "string" || hasExpression(text)) return {};
  if (text === "true" || text === "false") return { suggestion: text };
  const marked = `\${{ ${text.trim()} }}`;
  const { parts, faults } = parseText(marked);
  const [tree] = parts;
  if (faults.length > 0 || tree === undefined || typeof tree === "string" || tree.kind === "literal") return {};
  return tree.kind === "context" ? {} : { suggestion: marked };
}

/** Unknown keys that are known elsewhere; what they stand for is not missing as well. */
function withHabits(problems: SchemaProblem[], part: Part, value: Json): SchemaProblem[] {
  const meant = new Set<string>();
  const form = part === "step" && isObject(value) ? membersOfForm(value) : undefined;
  const changed = problems.map((problem) => {
    const { pointer, property, keyword } = problem;
    if (property === undefined || keyword === "required") return problem;
    const parent = parentOf(pointer);
    const habit = habitAt(parent, property, part);
    const { suggestion: near, ...plain } = problem;
    const message = `\`${property}\` is not known here`;
    const suggested = habit !== undefined && "suggestion" in habit ? habit.suggestion : (habit ?? near);
    if (form !== undefined && parent === "" && (suggested === undefined || typeof suggested === "string")) {
      if (suggested === undefined)
        return { ...plain, message: `${message}; what may stand here: ${listed(form.known)}` };
      if (!form.known.includes(suggested))
        return { ...plain, message: `${message}, and a step with \`${form.name}\` has no \`${suggested}\`` };
    }
    if (habit === undefined) return problem;
    if ("hint" in habit) {
      // What to do instead is said; of what is missing nobody can say whether it is.
      meant.add(parent);
      return { ...plain, message: `${message}; ${habit.hint}` };
    }
    meant.add(`${parent} ${habit.suggestion}`);
    return { ...plain, message, suggestion: habit.suggestion, isHabit: true };
  });
  return changed.filter(
    ({ keyword, pointer, property, choice = [property] }) =>
      keyword !== "required" || !(meant.has(pointer) || choice.some((name) => meant.has(`${pointer} ${name}`))),
  );
}

/** A workflow or step whose lists are empty, and the lists. */
function apart(value: Json): { alone: Json; inner: { key: string; value: Json }[] } {
  const inner: { key: string; value: Json }[] = [];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { alone: value, inner };
  const alone = { ...value };
  for (const key of ["steps", "onFailure", "finally"]) {
    const { [key]: list } = value;
    if (!Array.isArray(list)) continue;
    inner.push({ key, value: list });
    alone[key] = [];
  }
  const { parallel } = value;
  if (Array.isArray(parallel) && parallel.length > 0) {
    for (const [index, list] of parallel.entries()) inner.push({ key: `parallel/${index}`, value: list });
    alone.parallel = [[]];
  }
  return { alone, inner };
}

const ofExpressions = new Set([
  ...["if", "forEach", "maxParallel", "enabled", "outputs", "retries", "backoff", "delay", "maxDelay", "timeout"],
  ...["from", "to", "bytesPerSecond", "freeDiskBytes"],
]);

// An expression that cannot be read is a fault of its own, and no value of the wrong kind.
function isFaultyExpression(value: Json, pointer: string): boolean {
  const path = parsePointer(pointer);
  if (!ofExpressions.has(path.at(-1) ?? "")) return false;
  const text = valueAt(value, path);
  return typeof text === "string" && hasExpression(text) && parseText(text).faults.length > 0;
}
