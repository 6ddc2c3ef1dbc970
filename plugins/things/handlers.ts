// Who takes which commands, and for whom it is worth waiting: after a restart commands may come before those that
// took them in the earlier life are back.

import type { JsonObject, KeyValue, Log } from "gantry";
import { keyOf } from "./feature-address.ts";
import type { AnswerRules, Command, FeatureAddress, Refusal } from "./service.ts";

export interface Handler extends FeatureAddress {
  /** Undefined: all. */
  operations: string[] | undefined;
  schema: JsonObject | undefined;
  rules: AnswerRules;
  unknownOperation?: Refusal | null | undefined;
  unknownFeature?: Refusal | null | undefined;
  /** Resolves when the command is taken care of; rejects when it may come again. */
  handle(command: Command): Promise<void>;
}

const storeKey = "handlers";
/** How long somebody who was here is waited for, counted from the first one that comes in this life. */
const keptMs = 60_000;
/** The same while none has come: a host that starts no trigger (`gantry run`) must not use up what is for others. */
const idleMs = 24 * 3_600_000;

export class Handlers {
  readonly #keyValue: KeyValue;
  readonly #log: Log;
  readonly #handlers = new Set<Handler>();
  /** `<feature key> <operation>` of those who may come back, and when they are given up. */
  readonly #awaited = new Map<string, NodeJS.Timeout>();
  readonly #listeners = new Set<() => void>();
  #anybodyCame = false;
  #closed = false;

  constructor(keyValue: KeyValue, log: Log) {
    this.#keyValue = keyValue;
    this.#log = log;
  }

  async open(): Promise<void> {
    for (const name of ((await this.#keyValue.get(storeKey)) ?? []) as string[]) this.#await(name);
  }

  /** Called when something has changed. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  all(): Handler[] {
    return [...this.#handlers];
  }

  /** Resolves once that is remembered; returns the end of it. */
  async add(handler: Handler): Promise<() => void> {
    this.#handlers.add(handler);
    if (!this.#anybodyCame) {
      this.#anybodyCame = true;
      for (const name of [...this.#awaited.keys()]) this.#await(name);
    }
    for (const name of namesOf(handler)) this.#noLonger(name);
    this.#changed();
    await this.#keep();
    return () => {
      if (!this.#handlers.delete(handler) || this.#closed) return;
      for (const name of namesOf(handler)) this.#await(name);
    };
  }

  /** In the order in which they came. */
  of(address: FeatureAddress, operation: string): Handler[] {
    const key = keyOf(address);
    return this.all().filter((handler) => keyOf(handler) === key && (handler.operations?.includes(operation) ?? true));
  }

  isAwaited(address: FeatureAddress, operation: string): boolean {
    const key = keyOf(address);
    return this.#awaited.has(`${key} ${operation}`) || this.#awaited.has(`${key} *`);
  }

  /** Features that somebody will come back for. */
  awaited(): string[] {
    return [...this.#awaited.keys()].map((name) => name.slice(0, name.lastIndexOf(" ")));
  }

  /** What is awaited stays remembered, for the next life. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#awaited.values()) clearTimeout(timer);
  }

  #await(name: string): void {
    const timer = setTimeout(
      () => {
        this.#noLonger(name);
        this.#changed();
        this.#keep().catch((error) => this.#log.warn("the list of commands cannot be kept", { err: error }));
      },
      this.#anybodyCame ? keptMs : idleMs,
    );
    timer.unref();
    clearTimeout(this.#awaited.get(name));
    this.#awaited.set(name, timer);
  }

  #noLonger(name: string): void {
    clearTimeout(this.#awaited.get(name));
    this.#awaited.delete(name);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  async #keep(): Promise<void> {
    const names = new Set([...this.all().flatMap(namesOf), ...this.#awaited.keys()]);
    await this.#keyValue.set(storeKey, [...names].toSorted());
  }
}

const namesOf = (handler: Handler) =>
  (handler.operations ?? ["*"]).map((operation) => `${keyOf(handler)} ${operation}`);
