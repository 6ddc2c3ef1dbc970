// One feature's way to the broker: reports, messages and answers, sent one after the other from a durable queue, and the
// feature's announcement ahead of them.

import type { Json, JsonObject, KeyValue, Log, Outbox, OutboxEntry } from "gantry";
import { announcement, type Entry, type Outgoing, outgoing } from "./entries.ts";
import { LaneQueue, type PutOptions } from "./lane-queue.ts";
import { propertiesWith, type ReportedValue, withReported } from "./reported-values.ts";
import { Room } from "./room.ts";
import type { FeatureAddress, Identity } from "./service.ts";

/** How lanes reach the broker. */
export interface Link {
  /** As whom messages may leave now; undefined: none may. */
  identity(): Identity | undefined;
  /** Resolves once the broker has the message, or never will take it; rejects when everything ends. */
  publish(message: Outgoing): Promise<void>;
}

export interface LaneOptions {
  address: FeatureAddress;
  /** Names it in the store. */
  name: string;
  outbox: Outbox;
  keyValue: KeyValue;
  link: Link;
  log: Log;
  maxMessages: number;
  mergeAbove: number;
  /** Whether it waits for `release`. */
  held: boolean;
  /** Called when the feature was deleted from the twin, and nothing else waits. */
  onDeleted(): void;
}

export interface Announced {
  definition: string[] | undefined;
  properties: JsonObject | undefined;
}

const pauseMs = 1000;
const stopWithinMs = 500;

export class Lane {
  readonly #options: LaneOptions;
  readonly #queue: LaneQueue;
  readonly #loaded: Promise<void>;
  readonly #running: Promise<void>;
  #announced: Announced | undefined;
  #announceDue = false;
  #reported: ReportedValue[] = [];
  #dropped = 0;
  #held: boolean;
  #stopped = false;
  #wake: (() => void) | undefined;
  readonly #room: Room;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#held = options.held;
    const { outbox, name, maxMessages, mergeAbove } = options;
    this.#queue = new LaneQueue({
      outbox,
      name,
      maxMessages,
      mergeAbove,
      onDropped: (entries, count) => this.#takeDropped(entries, count),
    });
    this.#room = new Room(() => mergeAbove - this.#queue.length);
    this.#loaded = this.#load();
    this.#loaded.catch(() => {});
    this.#running = this.#run();
  }

  get isAnnounced(): boolean {
    return this.#announced !== undefined;
  }

  announce(announced: Announced | undefined): void {
    this.#announced = announced;
    this.announceAgain();
  }

  /** Before anything else leaves. */
  announceAgain(): void {
    this.#announceDue = this.#announced !== undefined;
    this.#wake?.();
  }

  release(): void {
    this.#held = false;
    this.#wake?.();
  }

  /** Resolves once the message is durable; a repeated key is dropped. */
  async put(
    entry: Entry,
    { waitForRoom = false, ...options }: PutOptions & { waitForRoom?: boolean } = {},
  ): Promise<void> {
    await this.#loaded;
    const put = async () => {
      await this.#queue.put(entry, options);
      this.#wake?.();
    };
    await (waitForRoom ? this.#room.enter(put) : put());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    const { log } = this.#options;
    await this.#queue.flush({ always: true }).catch((error) => log.warn("a report is lost", { err: error }));
    // What is on its way may wait for the broker; it stays in the outbox.
    const waited = Promise.withResolvers<void>();
    const timer = setTimeout(waited.resolve, stopWithinMs);
    await Promise.race([this.#running, waited.promise]);
    clearTimeout(timer);
  }

  async #load(): Promise<void> {
    const { keyValue, name } = this.#options;
    this.#reported = ((await keyValue.get(reportedKey(name))) ?? []) as unknown as ReportedValue[];
    await this.#queue.load();
  }

  async #run(): Promise<void> {
    const { log } = this.#options;
    while (!this.#stopped) {
      // Set before looking, so that what comes meanwhile is not overlooked.
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      try {
        await this.#loaded;
        if (!(await this.#sendNext())) await woken;
      } catch (error) {
        if (this.#stopped) break;
        log.error("the outbox of a feature cannot be drained now", { err: error, ...this.#facts() });
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
    // Left in the outbox, it would be sent again by the next life.
    await this.#queue.removeSent().catch((error) => log.debug("what was sent stays", { err: error }));
  }

  /** Resolves with false when there is nothing to send, or no way. */
  async #sendNext(): Promise<boolean> {
    const { link, address } = this.#options;
    const identity = link.identity();
    if (identity === undefined || this.#held) return false;
    if (this.#announceDue && this.#announced !== undefined) {
      this.#announceDue = false;
      const { definition, properties } = this.#announced;
      await link.publish(announcement(address, identity, definition, propertiesWith(properties, this.#reported)));
      return true;
    }
    const next = await this.#queue.first();
    // What was sent leaves the outbox, and what will be sent is remembered, in one commit. So an announcement after a
    // crash never shows an older value than the twin may have.
    await Promise.all([this.#queue.removeSent(), next === undefined ? undefined : this.#remember([next])]);
    if (next === undefined) return false;
    const entry = next.message as unknown as Entry;
    await link.publish(outgoing(address, identity, entry));
    this.#queue.sent(next);
    this.#room.look();
    if (entry.kind === "delete") await this.#deleted();
    await this.#queue.flush();
    return true;
  }

  async #deleted(): Promise<void> {
    // Left in the outbox of a lane that nobody opens, it would delete the feature when it comes back one day.
    await this.#queue.removeSent();
    if (this.#queue.length === 0 && this.#announced === undefined) this.#options.onDeleted();
  }

  /** Takes over what these entries report. */
  async #remember(entries: OutboxEntry[]): Promise<void> {
    let reported = this.#reported;
    for (const { message } of entries) {
      const entry = message as unknown as Entry;
      if (entry.kind === "modify") reported = withReported(reported, { path: entry.path, value: entry.value });
      if (entry.kind === "delete") reported = [];
    }
    if (reported === this.#reported) return;
    this.#reported = reported;
    const { keyValue, name } = this.#options;
    if (reported.length === 0) await keyValue.delete(reportedKey(name));
    else await keyValue.set(reportedKey(name), reported as unknown as Json);
  }

  async #takeDropped(entries: OutboxEntry[], count: number): Promise<void> {
    this.#dropped += count;
    const facts = { code: "THINGS_LANE_FULL", dropped: count, droppedSoFar: this.#dropped, ...this.#facts() };
    this.#options.log.warn("a feature has too many messages that cannot leave; the oldest are dropped", facts);
    await this.#remember(entries);
  }

  #facts() {
    const { thing, feature } = this.#options.address;
    return { feature, ...(thing === undefined ? {} : { thing }) };
  }
}

export const reportedKey = (name: string) => `reported/${name}`;
