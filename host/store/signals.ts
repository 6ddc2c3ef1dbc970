// What was said from outside and may still be waited for.

import type { DamageReport } from "./damage.ts";
import type { ReadConnection } from "./read-connection.ts";
import type { Signals } from "./store.ts";
import type { Writer } from "./writer.ts";

export function createSignals(connection: ReadConnection, writer: Writer<"host">, damage: DamageReport): Signals {
  return {
    put({ id, name, value, at }, forgetBefore) {
      return writer.write("putSignal", [id, name, JSON.stringify(value), at, forgetBefore]);
    },
    since(at) {
      const sql = "SELECT id, name, value, at FROM signals WHERE at >= ? ORDER BY at, id";
      const rows = connection.all<{ id: string; name: string; value: string; at: number }>(sql, at);
      return rows.flatMap((row) => {
        const value = damage.parse(`the signal ${row.name}`, row.value);
        return value === undefined ? [] : [{ ...row, value }];
      });
    },
  };
}
