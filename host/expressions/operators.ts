import { GantryError } from "../errors.ts";
import { isObject } from "../is-object.ts";
import type { Json } from "../sdk.ts";
import type { Comparison } from "./syntax.ts";
import { cost, keysOf, spend, spendOnText, type Work } from "./work.ts";

/** Same type and same content; nothing is converted and case counts. Throws EXPRESSION_TOO_LARGE when work runs out. */
export function isEqual(left: Json, right: Json, work: Work): boolean {
  spend(work, cost.value);
  if (typeof left === "string" && typeof right === "string" && left.length === right.length)
    spendOnText(work, left.length);
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right))
    return left.length === right.length && left.every((item, index) => isEqual(item, right[index]!, work));
  if (!isObject(left) || !isObject(right)) return false;
  const keys = keysOf(left, work);
  if (keys.length !== keysOf(right, work).length) return false;
  return keys.every((key) => {
    spend(work, cost.member);
    return Object.hasOwn(right, key) && isEqual(left[key]!, right[key]!, work);
  });
}

/** Whether a list has an item that is equal to the value. */
export function holds(list: Json[], value: Json, work: Work): boolean {
  return list.some((item) => isEqual(item, value, work));
}

export function compare(operator: Comparison, left: Json, right: Json, work: Work): boolean {
  if (operator === "==") return isEqual(left, right, work);
  if (operator === "!=") return !isEqual(left, right, work);
  const comparable =
    (typeof left === "number" && typeof right === "number") || (typeof left === "string" && typeof right === "string");
  if (!comparable)
    throw new GantryError("EXPRESSION_FAILED", `${operator} compares two numbers or two texts, and nothing else`);
  if (typeof left === "string" && typeof right === "string") spendOnText(work, Math.min(left.length, right.length));
  if (operator === "<") return left < right;
  if (operator === "<=") return left <= right;
  if (operator === ">") return left > right;
  return left >= right;
}

/** Truth where a condition is expected: null counts as false, other types are no truth. */
export function truth(value: Json, where: string): boolean {
  if (typeof value === "boolean") return value;
  if (value === null) return false;
  throw new GantryError("EXPRESSION_FAILED", `${where} needs true or false; compare the value with something`);
}

/** The member of an object or list under a key; null where there is none. */
export function member(of: Json | undefined, key: Json): Json {
  if (typeof of !== "object" || of === null) return null;
  if (Array.isArray(of)) return typeof key === "number" ? (of[key] ?? null) : null;
  return typeof key === "string" && Object.hasOwn(of, key) ? (of[key] ?? null) : null;
}
