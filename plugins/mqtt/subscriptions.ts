// Who listens to what, and when a message counts as handled. Both kinds of broker deliver through here.

import type { KeyValue, Log } from "gantry";
import type { Message } from "./service.ts";
import { matches } from "./topics.ts";

type Listener = (message: Message) => Promise<void>;

interface Subscription {
  qos: 0 | 1;
  listeners: Set<Listener>;
  /** Ends a subscription that nobody took up again. */
  expiry: NodeJS.Timeout | undefined;
}

export interface SubscriptionChanges {
  /** The broker must deliver this filter's messages from now on; resolves once it does, or at once when it is away. */
  added(filter: string, qos: 0 | 1): Promise<void>;
  /** Nobody wants the filter's messages any more. */
  removed(filter: string): void;
}

const storeKey = "filters";
const nobody = new Error("no listener");

export class Subscriptions {
  readonly #keyValue: KeyValue;
  readonly #log: Log;
  readonly #keepMs: number;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Messages of an earlier life's filters, held until somebody listens again. */
  readonly #held = new Set<() => void>();
  #changes: SubscriptionChanges | undefined;
  #closed = false;

  /** `keepMs`: how long a filter without a listener stays subscribed, and its messages unacknowledged. */
  constructor(keyValue: KeyValue, log: Log, keepMs = 60_000) {
    this.#keyValue = keyValue;
    this.#log = log;
    this.#keepMs = keepMs;
  }

  /** Takes over the filters of an earlier life: their messages may come before anybody has subscribed again. */
  async restore(): Promise<void> {
    const filters = ((await this.#keyValue.get(storeKey)) ?? {}) as Record<string, 0 | 1>;
    for (const [filter, qos] of Object.entries(filters)) {
      const subscription: Subscription = { qos, listeners: new Set(), expiry: undefined };
      this.#subscriptions.set(filter, subscription);
      this.#expire(filter, subscription);
    }
  }

  connectTo(changes: SubscriptionChanges): void {
    this.#changes = changes;
  }

  /** Filters the broker must know, with their QoS. */
  filters(): [filter: string, qos: 0 | 1][] {
    return [...this.#subscriptions].map(([filter, { qos }]) => [filter, qos]);
  }

  /** Returns the end of it. */
  async add(filter: string, qos: 0 | 1, listener: Listener, temporary: boolean): Promise<() => void> {
    let subscription = this.#subscriptions.get(filter);
    const isNew = subscription === undefined || qos > subscription.qos;
    subscription ??= { qos, listeners: new Set(), expiry: undefined };
    subscription.qos = subscription.qos > qos ? subscription.qos : qos;
    clearTimeout(subscription.expiry);
    subscription.listeners.add(listener);
    this.#subscriptions.set(filter, subscription);
    if (isNew) {
      await this.#remember();
      await this.#changes?.added(filter, subscription.qos);
    }
    this.#release();
    return () => this.#removeListener(filter, listener, temporary);
  }

  /**
   * Resolves once every listener of this message has handled it; rejects when one has not, or nobody may have it yet.
   * A message that no filter matches is handled.
   */
  async deliver(message: Message): Promise<void> {
    for (;;) {
      const matching = [...this.#subscriptions]
        .filter(([filter]) => matches(filter, message.topic))
        .map(([, subscription]) => subscription);
      const listeners = new Set(matching.flatMap((subscription) => [...subscription.listeners]));
      // Of two overlapping filters one may still wait for its listener of an earlier life; the others do not wait for it.
      if (listeners.size > 0) {
        await Promise.all([...listeners].map((listener) => listener(message)));
        return;
      }
      if (matching.length === 0) return;
      if (this.#closed) throw nobody;
      await new Promise<void>((resolve) => this.#held.add(resolve));
      if (this.#closed) throw nobody;
    }
  }

  /** What is held stays unacknowledged, for the next life. */
  close(): void {
    this.#closed = true;
    for (const { expiry } of this.#subscriptions.values()) clearTimeout(expiry);
    this.#release();
  }

  #removeListener(filter: string, listener: Listener, temporary: boolean): void {
    const subscription = this.#subscriptions.get(filter);
    subscription?.listeners.delete(listener);
    if (subscription === undefined || subscription.listeners.size > 0 || this.#closed) return;
    if (temporary) this.#forget(filter);
    else this.#expire(filter, subscription);
  }

  #expire(filter: string, subscription: Subscription): void {
    subscription.expiry = setTimeout(() => {
      this.#log.info(`nobody listens to ${filter} any more; unsubscribing`);
      this.#forget(filter);
    }, this.#keepMs);
    subscription.expiry.unref();
  }

  #forget(filter: string): void {
    this.#subscriptions.delete(filter);
    this.#remember().catch((error) => this.#log.error("the list of subscriptions cannot be kept", { err: error }));
    this.#changes?.removed(filter);
    this.#release();
  }

  #release(): void {
    for (const resolve of this.#held) resolve();
    this.#held.clear();
  }

  #remember(): Promise<void> {
    return this.#keyValue.set(storeKey, Object.fromEntries(this.filters()));
  }
}
