import { GantryError } from "../errors.ts";
import type { Json } from "../sdk.ts";
import { maxCompared, tooLarge } from "./limits.ts";
import type { Comparison } from "./syntax.ts";

/** Bounds the work of one operator or function. */
interface Budget {
  left: number;
}

/**
 * Same type and same content; nothing is converted and case counts. Values that are small in memory can be huge to walk
 * through when parts of them are shared, hence EXPRESSION_TOO_LARGE.
 */
export function isEqual(left: Json, right: Json, budget: Budget = { left: maxCompared }): boolean {
  budget.left -= 1;
  if (budget.left < 0) throw tooLarge(`more than ${maxCompared} values would have to be compared`);
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => isEqual(item, right[index]!, budget));
  }
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isEqual(left[key]!, right[key]!, budget))
  );
}

/** Whether a list has an item that is equal to the value. */
export function holds(list: Json[], value: Json): boolean {
  const budget = { left: maxCompared };
  return list.some((item) => isEqual(item, value, budget));
}

export function compare(operator: Comparison, left: Json, right: Json): boolean {
  if (operator === "==") return isEqual(left, right);
  if (operator === "!=") return !isEqual(left, right);
  const comparable =
    (typeof left === "number" && typeof right === "number") || (typeof left === "string" && typeof right === "string");
  if (!comparable)
    throw new GantryError("EXPRESSION_FAILED", `${operator} compares two numbers or two texts, and nothing else`);
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
