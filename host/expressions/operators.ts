import { GantryError } from "../errors.ts";
import type { Json } from "../sdk.ts";
import type { Comparison } from "./syntax.ts";

/** Same type and same content; nothing is converted and case counts. */
export function isEqual(left: Json, right: Json): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  if (Array.isArray(left)) {
    const other = right as Json[];
    return left.length === other.length && left.every((item, index) => isEqual(item, other[index]!));
  }
  const keys = Object.keys(left);
  const other = right as Record<string, Json>;
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isEqual(left[key]!, other[key]!))
  );
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
