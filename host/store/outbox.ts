// The outbox lanes of one owner.

import { GantryError } from "../errors.ts";
import type { Outbox } from "../sdk.ts";
import type { DamageReport } from "./damage.ts";
import type { ReadConnection } from "./read-connection.ts";
import type { Writer } from "./writer.ts";

/** What a message weighs beside its text, so that very many small ones are bounded too. */
const ROW_BYTES = 64;

export function createOutbox(
  owner: string,
  maxLaneBytes: number,
  connection: ReadConnection,
  writer: Writer<"host">,
  damage: DamageReport,
): Outbox {
  return {
    async put(lane, message, { key } = {}) {
      const text = JSON.stringify(message);
      const bytes = Buffer.byteLength(text) + ROW_BYTES;
      const outcome = await writer.write("putMessage", [
        owner,
        lane,
        Date.now(),
        key ?? null,
        bytes,
        text,
        maxLaneBytes,
      ]);
      if (outcome.taken !== "full") return outcome.taken;
      throw new GantryError(
        "OUTBOX_FULL",
        `lane ${lane} of ${owner} holds ${outcome.laneBytes} of at most ${maxLaneBytes} bytes; a message of ${bytes} does not fit`,
        { details: { lane, laneBytes: outcome.laneBytes, maxLaneBytes }, retryable: bytes <= maxLaneBytes },
      );
    },
    async read(lane, after, limit) {
      const sql = "SELECT id, at, message FROM outbox WHERE owner = ? AND lane = ? AND id > ? ORDER BY id LIMIT ?";
      const rows = connection.all<{ id: number; at: number; message: string }>(sql, owner, lane, after, limit);
      // One that cannot be read must not hold up the lane for ever.
      const readable = rows.flatMap(({ id, at, message: text }) => {
        const message = damage.parse(`message ${id} in lane ${lane} of ${owner}`, text);
        return message === undefined ? [] : [{ id, at, message }];
      });
      const last = rows.at(-1);
      return readable.length === 0 && last !== undefined && rows.length === limit
        ? this.read(lane, last.id, limit)
        : readable;
    },
    async remove(lane, upToId) {
      await writer.write("removeMessages", [owner, lane, upToId]);
    },
  };
}
