// A lane's messages in the durable outbox: bounded, with intermediate reports merged while very many wait.

import type { Json, Outbox, OutboxEntry } from "gantry";
import type { Entry } from "./entries.ts";

export interface LaneQueueOptions {
  outbox: Outbox;
  name: string;
  /** More messages than these never wait; the oldest are dropped. */
  maxMessages: number;
  /** With so many waiting, intermediate reports are merged. */
  mergeAbove: number;
  /** Told of the oldest messages that are being dropped, or of none where the newest finds no room; awaited. */
  onDropped(entries: OutboxEntry[], count: number): Promise<void>;
}

export interface PutOptions {
  key?: string | undefined;
  intermediate?: boolean;
}

interface Put {
  entry: Entry;
  key: string | undefined;
}

const readAtOnce = 20;

export class LaneQueue {
  readonly #options: LaneQueueOptions;
  /** Read from the outbox and not sent; the first may be on its way. */
  #next: OutboxEntry[] = [];
  #lastRead = 0;
  /** Sent, and not yet removed from the outbox. */
  #sent: number | undefined;
  #droppedUpTo = 0;
  #length = 0;
  /** The last intermediate report of each path, while there are too many to store each. */
  readonly #merged = new Map<string, Put>();
  #makingRoom: Promise<void> | undefined;

  constructor(options: LaneQueueOptions) {
    this.#options = options;
  }

  /** How many messages wait. */
  get length(): number {
    return this.#length;
  }

  /** Counts what an earlier life left. */
  async load(): Promise<void> {
    const { outbox, name } = this.#options;
    for (let after = 0; ; ) {
      const entries = await outbox.read(name, after, 1000);
      this.#length += entries.length;
      const last = entries.at(-1);
      if (last === undefined) return;
      after = last.id;
    }
  }

  /** Resolves once the message is durable; an intermediate one of very many once it is taken. A repeated key is dropped. */
  async put(entry: Entry, { key, intermediate = false }: PutOptions): Promise<void> {
    if (intermediate && entry.kind === "modify" && this.#length >= this.#options.mergeAbove) {
      this.#merged.delete(entry.path);
      this.#merged.set(entry.path, { entry, key });
      return;
    }
    await Promise.all([...this.#takeMerged(), { entry, key }].map((put) => this.#store(put)));
  }

  /** Stores what is merged; as long as very many wait, only with `always`. */
  async flush({ always = false } = {}): Promise<void> {
    if (always || this.#length < this.#options.mergeAbove)
      await Promise.all(this.#takeMerged().map((put) => this.#store(put)));
  }

  /** The oldest message that has not been sent. */
  async first(): Promise<OutboxEntry | undefined> {
    if (this.#next.length === 0) {
      this.#next = await this.#options.outbox.read(this.#options.name, this.#lastRead, readAtOnce);
      this.#lastRead = this.#next.at(-1)?.id ?? this.#lastRead;
    }
    return this.#next[0];
  }

  /** The first has been sent; it stays in the outbox until `removeSent`. */
  sent({ id }: OutboxEntry): void {
    this.#sent = id;
    if (this.#next[0]?.id === id) this.#next.shift();
    if (id > this.#droppedUpTo) this.#length -= 1;
  }

  async removeSent(): Promise<void> {
    if (this.#sent === undefined) return;
    const { outbox, name } = this.#options;
    const sent = this.#sent;
    await outbox.remove(name, sent);
    if (this.#sent === sent) this.#sent = undefined;
  }

  #takeMerged(): Put[] {
    const puts = [...this.#merged.values()];
    this.#merged.clear();
    return puts;
  }

  async #store({ entry, key }: Put): Promise<void> {
    const { outbox, name, maxMessages, onDropped } = this.#options;
    if (this.#length >= maxMessages) await this.#makeRoom();
    for (;;) {
      try {
        const options = key === undefined ? {} : { key };
        if ((await outbox.put(name, entry as unknown as Json, options)) === "stored") this.#length += 1;
        return;
      } catch (error) {
        const { code, retryable } = error as { code?: string; retryable?: boolean };
        if (code !== "OUTBOX_FULL") throw error;
        // It must not fail what it reports about.
        if (retryable !== true || this.#length === 0) return onDropped([], 1);
        await this.#makeRoom();
      }
    }
  }

  /** Drops the oldest tenth. */
  #makeRoom(): Promise<void> {
    this.#makingRoom ??= this.#dropOldest().finally(() => {
      this.#makingRoom = undefined;
    });
    return this.#makingRoom;
  }

  async #dropOldest(): Promise<void> {
    const { outbox, name, maxMessages, onDropped } = this.#options;
    const oldest = await outbox.read(name, this.#sent ?? 0, Math.ceil(maxMessages / 10));
    const last = oldest.at(-1);
    if (last === undefined) return;
    await Promise.all([onDropped(oldest, oldest.length), outbox.remove(name, last.id)]);
    this.#droppedUpTo = last.id;
    this.#length -= oldest.length;
    this.#next = this.#next.filter(({ id }) => id > last.id);
    this.#lastRead = Math.max(this.#lastRead, last.id);
  }
}
