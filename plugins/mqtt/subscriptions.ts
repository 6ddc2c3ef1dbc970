// Who listens to what, and when a message counts as handled. Both kinds of broker deliver through here.

import type { KeyValue, Log } from "gantry";
import type { Message } from "./service.ts";
import { matches } from "./topics.ts";

type Listener = (message: Message) => Promise<void>;

interface Subscription {
  qos: 0 | 1;
  listeners: Set<Listener>;
  /** Listeners of an earlier life, or that have just stopped, which may come back; messages wait for them. */
  awaited: number;
  /** Gives them up. */
  expiry: NodeJS.Timeout | undefined;
}

/** As it is kept: how many listeners the next life waits for. */
type Remembered = Record<string, { qos: 0 | 1; listeners: number }>;

export interface SubscriptionChanges {
  /** The broker must deliver this filter's messages from now on; resolves once it does, or at once when it is away. */
  added(filter: string, qos: 0 | 1): Promise<void>;
  /** Nobody wants the filter's messages any more. */
  removed(filter: string): void;
}

export interface Patience {
  /** How long a listener that is gone is waited for, counted from the first one that comes in this life. */
  keepMs: number;
  /** The same while none has come: a host that starts no trigger (`gantry run`) must not end what others left. */
  idleMs: number;
  /** Messages with QoS 0 that wait at most: no window bounds those. */
  maxHeldQos0: number;
}

const storeKey = "filters";
const usual: Patience = { keepMs: 60_000, idleMs: 24 * 3_600_000, maxHeldQos0: 1000 };
const nobody = new Error("no listener");

export class Subscriptions {
  readonly #keyValue: KeyValue;
  readonly #log: Log;
  readonly #patience: Patience;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Messages some of whose listeners are awaited. */
  readonly #held = new Set<() => void>();
  #heldQos0 = 0;
  #anybodyCame = false;
  #changes: SubscriptionChanges | undefined;
  #closed = false;

  constructor(keyValue: KeyValue, log: Log, patience = usual) {
    this.#keyValue = keyValue;
    this.#log = log;
    this.#patience = patience;
  }

  /** Takes over the filters of an earlier life: their messages may come before anybody has subscribed again. */
  async restore(): Promise<void> {
    const remembered = ((await this.#keyValue.get(storeKey)) ?? {}) as unknown as Remembered;
    for (const [filter, { qos, listeners }] of Object.entries(remembered)) {
      const subscription: Subscription = { qos, listeners: new Set(), awaited: listeners, expiry: undefined };
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
    const known = this.#subscriptions.get(filter);
    const subscription = known ?? { qos, listeners: new Set<Listener>(), awaited: 0, expiry: undefined };
    const cameBack = subscription.awaited > 0;
    const isNew = known === undefined || qos > known.qos;
    if (cameBack) subscription.awaited -= 1;
    if (qos > subscription.qos) subscription.qos = qos;
    subscription.listeners.add(listener);
    this.#subscriptions.set(filter, subscription);
    if (subscription.awaited === 0) clearTimeout(subscription.expiry);
    if (!temporary) this.#somebodyCame();
    try {
      if (isNew || !cameBack) await this.#remember();
      if (isNew) await this.#changes?.added(filter, subscription.qos);
    } catch (error) {
      this.#removeListener(filter, listener, true);
      throw error;
    }
    this.#release();
    return () => this.#removeListener(filter, listener, temporary);
  }

  /**
   * Hands the message to its listeners, those of now and those that are awaited. Resolves once every one of them has
   * handled it; rejects when one has not, or may still come when everything ends. A message that no filter matches is
   * handled.
   */
  async deliver(message: Message): Promise<void> {
    const told = new Map<Listener, Promise<void>>();
    for (;;) {
      const matching = [...this.#subscriptions]
        .filter(([filter]) => matches(filter, message.topic))
        .map(([, subscription]) => subscription);
      for (const listener of matching.flatMap(({ listeners }) => [...listeners]))
        if (!told.has(listener)) told.set(listener, handledBy(listener, message));
      if (matching.every(({ awaited }) => awaited === 0)) break;
      if (this.#closed) throw nobody;
      if (!(await this.#hold(message.qos))) break;
    }
    await Promise.all(told.values());
  }

  /** What is held stays unacknowledged, for the next life. */
  close(): void {
    this.#closed = true;
    for (const { expiry } of this.#subscriptions.values()) clearTimeout(expiry);
    this.#release();
  }

  /** Resolves when the listeners have changed; at once, with false, where too much is held. */
  async #hold(qos: 0 | 1): Promise<boolean> {
    if (qos === 0 && this.#heldQos0 >= this.#patience.maxHeldQos0) return false;
    if (qos === 0) this.#heldQos0 += 1;
    await new Promise<void>((resolve) => this.#held.add(resolve));
    if (qos === 0) this.#heldQos0 -= 1;
    return true;
  }

  #removeListener(filter: string, listener: Listener, temporary: boolean): void {
    const subscription = this.#subscriptions.get(filter);
    if (subscription?.listeners.delete(listener) !== true || this.#closed) return;
    if (!temporary) {
      subscription.awaited += 1;
      this.#expire(filter, subscription);
    } else if (subscription.listeners.size === 0 && subscription.awaited === 0) this.#forget(filter);
    else this.#rememberLater();
  }

  #somebodyCame(): void {
    if (this.#anybodyCame) return;
    this.#anybodyCame = true;
    for (const [filter, subscription] of this.#subscriptions)
      if (subscription.awaited > 0) this.#expire(filter, subscription);
  }

  #expire(filter: string, subscription: Subscription): void {
    clearTimeout(subscription.expiry);
    const { keepMs, idleMs } = this.#patience;
    subscription.expiry = setTimeout(() => this.#giveUp(filter, subscription), this.#anybodyCame ? keepMs : idleMs);
    subscription.expiry.unref();
  }

  #giveUp(filter: string, subscription: Subscription): void {
    subscription.awaited = 0;
    if (subscription.listeners.size > 0) {
      this.#rememberLater();
      this.#release();
      return;
    }
    this.#log.info(`nobody listens to ${filter} any more; unsubscribing`);
    this.#forget(filter);
  }

  #forget(filter: string): void {
    this.#subscriptions.delete(filter);
    this.#rememberLater();
    this.#changes?.removed(filter);
    this.#release();
  }

  #release(): void {
    for (const resolve of this.#held) resolve();
    this.#held.clear();
  }

  #rememberLater(): void {
    this.#remember().catch((error) => this.#log.error("the list of subscriptions cannot be kept", { err: error }));
  }

  #remember(): Promise<void> {
    const remembered: Remembered = {};
    for (const [filter, { qos, listeners, awaited }] of this.#subscriptions)
      remembered[filter] = { qos, listeners: listeners.size + awaited };
    return this.#keyValue.set(storeKey, remembered as never);
  }
}

function handledBy(listener: Listener, message: Message): Promise<void> {
  const handled = listener(message);
  // Others may still be awaited when it rejects; it counts when all are asked.
  handled.catch(() => {});
  return handled;
}
