// A failure as it crosses from the writing thread.

import type { ErrorCode } from "../errors.ts";

export interface Reason {
  code: Extract<ErrorCode, "STORE_FAILED" | "STORE_NEWER">;
  message: string;
  /** SQLite's extended result code, where it was SQLite that failed. */
  sqlite?: number;
  /** The write itself is at fault: it will fail again, and others are not touched. */
  ownFault?: true;
}

/** SQLite's codes for what is wrong with the values: TOOBIG, CONSTRAINT, MISMATCH. */
const FAULTS_OF_THE_WRITE = [18, 19, 20];

/** Whether only the write itself failed, and not the disk or the database under it. */
export function isOwnFault(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  return errcode === undefined || FAULTS_OF_THE_WRITE.includes(errcode & 0xff);
}

export function reasonOf(error: unknown): Reason {
  const { message, errcode, errstr } = error as { message: string; errcode?: number; errstr?: string };
  if (errcode === undefined) return { code: "STORE_FAILED", message: message ?? String(error) };
  // SQLite's text of the code says the kind ("disk I/O error") where the message says the place.
  const text = errstr === undefined || message.includes(errstr) ? message : `${message} (${errstr})`;
  return { code: "STORE_FAILED", message: text, sqlite: errcode };
}
