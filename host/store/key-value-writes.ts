// The writing thread's part of key-value.ts.

import type { DatabaseSync } from "node:sqlite";

export function keyValueWrites(database: DatabaseSync) {
  const set = database.prepare("INSERT OR REPLACE INTO key_value (owner, key, value) VALUES (?, ?, ?)");
  const remove = database.prepare("DELETE FROM key_value WHERE owner = ? AND key = ?");
  return {
    setValue(owner: string, key: string, value: string): void {
      set.run(owner, key, value);
    },
    deleteValue(owner: string, key: string): void {
      remove.run(owner, key);
    },
  };
}
