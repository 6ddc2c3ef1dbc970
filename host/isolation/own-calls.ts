import type { Scope } from "./ledger.ts";

export interface OwnCall {
  fn: number;
  args: unknown[];
  scope: Scope;
  /** Of its message, once it is sent. */
  bytes: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** The calls that one side makes: those that are not sent yet, and those that are not answered yet. */
export class OwnCalls {
  readonly #most: { count: number; bytes: number };
  readonly #waiting: OwnCall[] = [];
  readonly #sent = new Map<number, OwnCall>();
  #bytes = 0;

  /** No more are unanswered at once than `most`, but for the one that goes beyond its bytes. */
  constructor(most: { count: number; bytes: number }) {
    this.#most = most;
  }

  add(call: OwnCall): void {
    this.#waiting.push(call);
  }

  /** The next one to be sent, if that may be now. */
  next(): OwnCall | undefined {
    const { count, bytes } = this.#most;
    return this.#sent.size < count && this.#bytes < bytes ? this.#waiting.shift() : undefined;
  }

  sent(id: number, call: OwnCall): void {
    this.#sent.set(id, call);
    this.#bytes += call.bytes;
  }

  /** The call that is answered; undefined where nobody made it. */
  answered(id: number): OwnCall | undefined {
    const call = this.#sent.get(id);
    if (call === undefined) return undefined;
    this.#sent.delete(id);
    this.#bytes -= call.bytes;
    return call;
  }

  rejectAll(reason: Error): void {
    for (const { reject } of [...this.#sent.values(), ...this.#waiting]) reject(reason);
    this.#sent.clear();
    this.#waiting.length = 0;
  }
}
