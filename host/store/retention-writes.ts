// The writing thread's part of retention.ts.

import type { DatabaseSync } from "node:sqlite";

/** Sorts before all runs. */
const none = { endedAt: -1, number: -1 };

export function retentionWrites(database: DatabaseSync) {
  const newestToGo = database.prepare(
    `SELECT ended_at AS endedAt, number FROM runs WHERE ended_at IS NOT NULL
     ORDER BY ended_at DESC, number DESC LIMIT 1 OFFSET ?`,
  );
  const removeOldest = database.prepare(
    `DELETE FROM runs WHERE number IN
       (SELECT number FROM runs WHERE ended_at IS NOT NULL AND (ended_at < ?1 OR answer IS NULL AND (ended_at, number) <= (?2, ?3))
        ORDER BY ended_at, number LIMIT ?4)
     RETURNING id`,
  );
  const removeDocuments = database.prepare(
    `DELETE FROM documents WHERE hash NOT IN
       (SELECT document FROM runs
        UNION SELECT called.value FROM runs, json_each(iif(json_valid(calls), calls, '{}')) AS called
          WHERE calls <> '{}')`,
  );
  const countDeliveries = database.prepare("SELECT count(*) AS count FROM deliveries");
  const removeDeliveries = database.prepare(
    `DELETE FROM deliveries WHERE key IN
       (SELECT key FROM deliveries WHERE run_id NOT IN (SELECT id FROM runs WHERE ended_at IS NULL)
        ORDER BY at LIMIT ?)`,
  );
  return {
    /**
     * Of the ended runs, those that ended before `before`, and those that at least `keep` have ended after and whose
     * trigger has heard of them: the oldest `limit` go.
     */
    removeRuns(before: number, keep: number, limit: number): string[] {
      const { endedAt, number } = (newestToGo.get(keep) ?? none) as typeof none;
      return (removeOldest.all(before, endedAt, number, limit) as { id: string }[]).map(({ id }) => id);
    },

    /** Documents no run refers to. */
    removeDocuments(): void {
      removeDocuments.run();
    },

    /** The oldest deliveries above `keep`. One whose run is gone still tells a repeated message from a new one. */
    removeDeliveries(keep: number): void {
      const { count } = countDeliveries.get() as { count: number };
      if (count > keep) removeDeliveries.run(count - keep);
    },
  };
}
