// The small values of one owner.

import type { KeyValue } from "../sdk.ts";
import type { DamageReport } from "./damage.ts";
import type { ReadConnection } from "./read-connection.ts";
import type { Writer } from "./writer.ts";

export function createKeyValue(
  owner: string,
  connection: ReadConnection,
  writer: Writer<"host">,
  damage: DamageReport,
): KeyValue {
  return {
    async get(key) {
      const sql = "SELECT value FROM key_value WHERE owner = ? AND key = ?";
      const row = connection.get<{ value: string }>(sql, owner, key);
      return row === undefined ? undefined : damage.parse(`the value ${key} of ${owner}`, row.value);
    },
    async set(key, value) {
      await writer.write("setValue", [owner, key, JSON.stringify(value)]);
    },
    async delete(key) {
      await writer.write("deleteValue", [owner, key]);
    },
  };
}
