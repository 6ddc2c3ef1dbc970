// What went wrong in SQLite or the file system, as the one error callers see.

import { GantryError } from "../errors.ts";
import { type Reason, reasonOf } from "./reason.ts";

export function storeError(what: string, reason: Reason, cause?: unknown): GantryError {
  return new GantryError(reason.code, `${what}: ${reason.message}`, {
    ...(reason.sqlite === undefined ? {} : { details: { sqlite: reason.sqlite } }),
    ...(reason.ownFault ? { retryable: false } : {}),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Carries out something on the caller's thread, with failures as STORE_ codes. `folder` is where it writes. */
export function orStoreError<Result>(what: string, act: () => Result, folder?: string): Result {
  try {
    return act();
  } catch (error) {
    if (error instanceof GantryError) throw error;
    throw storeError(what, reasonOf(error, folder), error);
  }
}
