// The writing thread's part of outbox.ts. A lane's row keeps its last id, so that ids grow also when the lane has
// drained, and its bytes, so that the bound needs no counting.

import type { DatabaseSync } from "node:sqlite";

/** Keys of messages that have left, remembered for each owner. */
const DEPARTED_KEYS = 10_000;

export type PutOutcome = { taken: "stored" | "duplicate" } | { taken: "full"; laneBytes: number };

export function outboxWrites(database: DatabaseSync) {
  const findKey = database.prepare(
    `SELECT 1 FROM outbox WHERE owner = ?1 AND key = ?2
     UNION ALL SELECT 1 FROM outbox_departed WHERE owner = ?1 AND key = ?2`,
  );
  const findLane = database.prepare("SELECT last_id, bytes FROM outbox_lanes WHERE owner = ? AND lane = ?");
  const replaceLane = database.prepare(
    "INSERT OR REPLACE INTO outbox_lanes (owner, lane, last_id, bytes) VALUES (?, ?, ?, ?)",
  );
  const insert = database.prepare(
    "INSERT INTO outbox (owner, lane, id, at, key, bytes, message) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const lastDeparture = database.prepare(
    "SELECT coalesce(max(number), 0) AS number FROM outbox_departed WHERE owner = ?",
  );
  const rememberKeys = database.prepare(
    `INSERT INTO outbox_departed (owner, number, key)
     SELECT owner, ?4 + row_number() OVER (ORDER BY id), key FROM outbox
     WHERE owner = ?1 AND lane = ?2 AND id <= ?3 AND key IS NOT NULL`,
  );
  const forgetKeys = database.prepare("DELETE FROM outbox_departed WHERE owner = ? AND number <= ?");
  const sumUp = database.prepare(
    "SELECT coalesce(sum(bytes), 0) AS bytes FROM outbox WHERE owner = ? AND lane = ? AND id <= ?",
  );
  const remove = database.prepare("DELETE FROM outbox WHERE owner = ? AND lane = ? AND id <= ?");
  const shrinkLane = database.prepare("UPDATE outbox_lanes SET bytes = bytes - ? WHERE owner = ? AND lane = ?");

  return {
    putMessage(
      owner: string,
      lane: string,
      at: number,
      key: string | null,
      bytes: number,
      message: string,
      maxLaneBytes: number,
    ): PutOutcome {
      if (key !== null && findKey.get(owner, key) !== undefined) return { taken: "duplicate" };
      const known = findLane.get(owner, lane) as { last_id: number; bytes: number } | undefined;
      const { last_id, bytes: laneBytes } = known ?? { last_id: 0, bytes: 0 };
      if (laneBytes + bytes > maxLaneBytes) return { taken: "full", laneBytes };
      insert.run(owner, lane, last_id + 1, at, key, bytes, message);
      replaceLane.run(owner, lane, last_id + 1, laneBytes + bytes);
      return { taken: "stored" };
    },

    removeMessages(owner: string, lane: string, upToId: number): void {
      const departed = (lastDeparture.get(owner) as { number: number }).number;
      const added = Number(rememberKeys.run(owner, lane, upToId, departed).changes);
      if (added > 0) forgetKeys.run(owner, departed + added - DEPARTED_KEYS);
      const { bytes } = sumUp.get(owner, lane, upToId) as { bytes: number };
      remove.run(owner, lane, upToId);
      shrinkLane.run(bytes, owner, lane);
    },
  };
}
