// The writing thread's part of signals.ts.

import type { DatabaseSync } from "node:sqlite";

export function signalWrites(database: DatabaseSync) {
  const insert = database.prepare("INSERT OR IGNORE INTO signals (id, name, value, at) VALUES (?, ?, ?, ?)");
  const forget = database.prepare("DELETE FROM signals WHERE at < ?");
  return {
    putSignal(id: string, name: string, value: string, at: number, forgetBefore: number): "stored" | "duplicate" {
      forget.run(forgetBefore);
      return insert.run(id, name, value, at).changes === 0 ? "duplicate" : "stored";
    },
  };
}
