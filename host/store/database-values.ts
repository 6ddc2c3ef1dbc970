// What goes into a plugin's database and what comes out of it.

import type { SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { GantryError } from "../errors.ts";
import type { DatabaseRow, DatabaseValue } from "../sdk.ts";
import { MAX_VALUE_BYTES } from "./database-guard.ts";

/** What one question may give: more should be asked for in parts. */
const MAX_RESULT_BYTES = 16 * 1024 * 1024;

export function databaseError(message: string): GantryError {
  return new GantryError("DATABASE_FAILED", message);
}

/** Checks what comes from a plugin, whose own types may not have been. */
export function sqlOf(sql: unknown): string {
  if (typeof sql !== "string" || sql.trim() === "") throw databaseError("a statement must be a text");
  if (Buffer.byteLength(sql) > MAX_VALUE_BYTES) throw databaseError(`a statement may have ${MAX_VALUE_BYTES} bytes`);
  return sql;
}

export function parametersOf(parameters: unknown = []): SQLInputValue[] {
  if (!Array.isArray(parameters)) throw databaseError("parameters must be a list");
  return parameters.map((value: DatabaseValue, index) => {
    // As a number it would be bound as 1.0, which shows in columns of text and in divisions.
    if (Number.isSafeInteger(value)) return BigInt(value as number);
    if (value === null || (typeof value === "number" && Number.isFinite(value))) return value;
    if (typeof value === "boolean") return value ? 1n : 0n;
    if (typeof value === "string" || value instanceof Uint8Array) {
      const bytes = typeof value === "string" ? Buffer.byteLength(value) : value.byteLength;
      if (bytes > MAX_VALUE_BYTES) throw databaseError(`parameter ${index} has ${bytes} bytes, not ${MAX_VALUE_BYTES}`);
      return value;
    }
    throw databaseError(`parameter ${index} is neither null, text, number, boolean nor bytes`);
  });
}

/** All rows at once, which the statement is through with then. */
export function rowsOf(statement: StatementSync, parameters: SQLInputValue[], limit: number): DatabaseRow[] {
  const rows: DatabaseRow[] = [];
  let bytes = 0;
  for (const row of statement.iterate(...parameters)) {
    for (const value of Object.values(row)) bytes += sizeOf(value);
    if (bytes > MAX_RESULT_BYTES)
      throw databaseError(`the rows have more than ${MAX_RESULT_BYTES} bytes; use LIMIT to get them in parts`);
    rows.push({ ...row } as DatabaseRow);
    if (rows.length === limit) break;
  }
  return rows;
}

function sizeOf(value: SQLOutputValue): number {
  if (typeof value === "string") return 16 + value.length;
  return value instanceof Uint8Array ? 16 + value.byteLength : 16;
}
