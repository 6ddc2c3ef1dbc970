// The lanes of all features, and the one connection they leave by.

import type { KeyValue, Log, Outbox, PluginError } from "gantry";
import type { Mqtt } from "../mqtt/service.ts";
import type { Outgoing } from "./entries.ts";
import { addressOf, keyOf } from "./feature-address.ts";
import type { DeviceIdentities } from "./identity.ts";
import { type Announced, Lane, type Link, reportedKey } from "./lane.ts";
import type { FeatureAddress, Identity } from "./service.ts";

export interface LanesOptions {
  mqtt: Mqtt;
  identities: DeviceIdentities;
  outbox: Outbox;
  keyValue: KeyValue;
  log: Log;
  maxMessages: number;
  mergeAbove: number;
}

/** Lanes there are, and whether their feature was announced in this life or an earlier one. */
type Remembered = Record<string, boolean>;

const storeKey = "lanes";
/** How long a lane waits for its feature to be registered again before it leaves without. */
const graceMs = 30_000;
const retryMs = 250;

export class Lanes implements Link {
  readonly #options: LanesOptions;
  readonly #lanes = new Map<string, Lane>();
  #remembered: Remembered = {};
  #connected = false;
  readonly #stopping = new AbortController();
  #grace: NodeJS.Timeout | undefined;

  constructor(options: LanesOptions) {
    this.#options = options;
    options.identities.onChange(() => this.#announceAll());
  }

  /** Takes over what an earlier life left: its features are announced before it leaves. */
  async open(): Promise<void> {
    this.#remembered = ((await this.#options.keyValue.get(storeKey)) ?? {}) as Remembered;
    for (const [name, held] of Object.entries(this.#remembered)) this.#open(name, held);
    this.#grace = setTimeout(() => {
      for (const [name, lane] of this.#lanes) this.#goOnWithout(name, lane);
    }, graceMs);
    this.#grace.unref();
  }

  of(address: FeatureAddress): Lane {
    const name = keyOf(address);
    return this.#lanes.get(name) ?? this.#open(name, false);
  }

  /** For answers to commands that no feature has. */
  get general(): Lane {
    return this.#lanes.get("") ?? this.#open("", false);
  }

  /** Announces a feature from now on, or no longer; resolves once that is remembered. */
  async announce(address: FeatureAddress, announced: Announced | undefined): Promise<void> {
    const lane = this.of(address);
    lane.announce(announced);
    lane.release();
    await this.#remember(keyOf(address), announced !== undefined);
  }

  /** What is announced comes before what waits. */
  connectionChanged(connected: boolean): void {
    this.#connected = connected;
    if (connected) this.#announceAll();
  }

  identity(): Identity | undefined {
    return this.#connected ? this.#options.identities.current : undefined;
  }

  async publish({ topic, payload }: Outgoing): Promise<void> {
    const { mqtt, log } = this.#options;
    for (;;) {
      try {
        await mqtt.publish({ topic, payload, qos: 1 });
        return;
      } catch (error) {
        const { code, retryable, message } = error as PluginError;
        if (this.#stopping.signal.aborted) throw error;
        if (retryable === false) {
          log.error(`a message to ${topic} is given up: ${message}`, { code });
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  async stop(): Promise<void> {
    clearTimeout(this.#grace);
    this.#stopping.abort();
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
  }

  /** Nobody has registered the feature again: what it left is sent without. */
  #goOnWithout(name: string, lane: Lane): void {
    if (lane.isAnnounced) return;
    lane.release();
    this.#remember(name, false).catch(this.#notKept);
  }

  readonly #notKept = (error: unknown) => this.#options.log.warn("the list of lanes cannot be kept", { err: error });

  #announceAll(): void {
    for (const lane of this.#lanes.values()) lane.announceAgain();
  }

  #open(name: string, held: boolean): Lane {
    const { outbox, keyValue, log, maxMessages, mergeAbove } = this.#options;
    const lane = new Lane({
      address: addressOf(name),
      name,
      outbox,
      keyValue,
      link: this,
      log,
      maxMessages,
      mergeAbove,
      held,
      onDeleted: () => void this.#forget(name),
    });
    this.#lanes.set(name, lane);
    this.#remember(name, held).catch(this.#notKept);
    return lane;
  }

  async #remember(name: string, announced: boolean): Promise<void> {
    if (this.#remembered[name] === announced) return;
    this.#remembered[name] = announced;
    await this.#options.keyValue.set(storeKey, { ...this.#remembered });
  }

  async #forget(name: string): Promise<void> {
    const { keyValue } = this.#options;
    void this.#lanes.get(name)?.stop();
    this.#lanes.delete(name);
    delete this.#remembered[name];
    const remembered = keyValue.set(storeKey, { ...this.#remembered });
    await Promise.all([remembered, keyValue.delete(reportedKey(name))]).catch(this.#notKept);
  }
}
