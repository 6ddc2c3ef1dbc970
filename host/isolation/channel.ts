// Calls between the host and a plugin process, both ways, as JSON lines over one socket. Each side lends functions to the
// other with the arguments and results of calls. What a call lends ends with it, unless its result is a function (the
// stop of a stream or trigger), which prolongs it until that one has been called, or an object with functions, which
// lives as long as the channel. A side that calls what it was not lent, or answers what nobody asked, breaks the channel.

import type { Socket } from "node:net";
import { GantryError } from "../errors.ts";
import type { Json } from "../sdk.ts";
import { type CarriedError, carryError, restoreError } from "./carried-error.ts";
import { isDeeperThan } from "./json-depth.ts";
import { Kept, type KeptLimits } from "./kept.ts";
import { Ledger, type LentFunction, type Scope } from "./ledger.ts";
import { LineReader } from "./line-reader.ts";
import { LineWriter } from "./line-writer.ts";
import { type OwnCall, OwnCalls } from "./own-calls.ts";
import { type AnyFunction, decode, type Encoded, type Extra, encode, encodeArguments } from "./values.ts";

type Message =
  | { call: number; fn: number; args: Json[]; extras?: Extra[] }
  | { tell: number; args: Json[]; extras?: Extra[] }
  | { done: number; value: Json; extras?: Extra[] }
  | { failed: number; error: CarriedError }
  | { abort: number; reason: CarriedError };

export interface ChannelFault {
  kind: "protocol" | "flood";
  message: string;
}

export interface ChannelOptions {
  /** What is lent from the beginning, under the ids 0, 1, ... */
  roots?: AnyFunction[];
  /** The largest message, either way. */
  messageBytes: number;
  /** Own calls wait while the other side has not read a quarter of this; the whole of it breaks the channel. */
  unreadBytes: number;
  /** Own calls wait while so many are unanswered. */
  ownCalls: { count: number; bytes: number };
  /** More calls of the other side than this, all unanswered, break the channel. */
  foreignCalls: { count: number; bytes: number };
  /**
   * Which functions of the other side may give objects with functions, for which what they were given is kept; where
   * another one does, that breaks the channel. Default: all.
   */
  mayLend?: (fn: number) => boolean;
  /** What the other side may keep; more breaks the channel. */
  kept: KeptLimits;
  /** Asked for each one-way call of the other side; false breaks the channel. */
  admitNotice?: () => boolean;
  /** Called once, with what broke the channel, or without a fault when the other side has gone. Then `close` it. */
  onEnd: (fault?: ChannelFault) => void;
}

const maxArguments = 16;

/** What `encode` lets through, and the message around it. */
const maxDepth = 220;

export class Channel {
  readonly #socket: Socket;
  readonly #options: ChannelOptions;
  readonly #ledger = new Ledger(() => ++this.#lastId);
  readonly #own: OwnCalls;
  readonly #foreign = new Set<number>();
  #foreignBytes = 0;
  /** What the other side keeps; its stops are called in its place when it has gone. */
  readonly #kept: Kept;
  readonly #writer: LineWriter;
  #lastId: number;
  #isGone = false;
  #ended: Error | undefined;

  constructor(socket: Socket, options: ChannelOptions) {
    const { roots = [], messageBytes, unreadBytes } = options;
    this.#socket = socket;
    this.#options = options;
    this.#own = new OwnCalls(options.ownCalls);
    this.#kept = new Kept(options.kept);
    this.#writer = new LineWriter(socket, messageBytes, unreadBytes);
    this.#lastId = roots.length;
    for (const [id, given] of roots.entries()) this.#ledger.lendRoot(id, given);
    const reader = new LineReader(messageBytes, (line) => this.#receive(line));
    socket.on("data", (chunk: Buffer) => {
      if (this.#isGone || reader.push(chunk)) return;
      this.#break("protocol", `a message has more than ${messageBytes} bytes`);
    });
    socket.on("drain", () => this.#sendWaiting());
    // `close` follows.
    socket.on("error", () => {});
    socket.on("end", () => this.#gone());
    socket.on("close", () => this.#gone());
  }

  /** The other side's root function of that id. */
  root(id: number): (...args: unknown[]) => Promise<unknown> {
    return this.#standIn(id, this.#ledger.open(), false);
  }

  /** Resolves once the other side has read most of what was sent to it, or has gone. */
  room(): Promise<void> {
    return this.#writer.room();
  }

  /** Nothing more is sent or heard; `close` is to follow. */
  mute(): void {
    this.#isGone = true;
    this.#socket.destroy();
  }

  /** Own calls under way reject with this, as later ones do. Safe to call again. */
  close(reason: Error): void {
    if (this.#ended !== undefined) return;
    this.mute();
    this.#ended = reason;
    this.#own.rejectAll(reason);
    this.#ledger.closeAll(reason);
    for (const stop of this.#kept.takeStops()) quietly(stop, []);
  }

  #break(kind: ChannelFault["kind"], message: string): void {
    if (this.#isGone) return;
    this.mute();
    this.#options.onEnd({ kind, message });
  }

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#options.onEnd();
  }

  // Own calls.

  #standIn(fn: number, scope: Scope, endsScope: boolean): (...args: unknown[]) => Promise<unknown> {
    return async (...args) => {
      // What it would stop has ended with the other side.
      if (this.#isGone && endsScope) return undefined;
      if (!scope.isOpen) throw new GantryError("CALL_ENDED", "the call that brought this function is over");
      try {
        return await this.#call(fn, args);
      } finally {
        if (endsScope) this.#ledger.close(scope);
      }
    };
  }

  #noticeStandIn(fn: number, scope: Scope): AnyFunction {
    return (...args) => {
      if (!scope.isOpen || this.#isGone) return;
      const { value, extras } = encodeArguments(args, { lend: refuse, lendSignal: refuse });
      this.#send({ tell: fn, args: value, ...unlessEmpty(extras) });
    };
  }

  #call(fn: number, args: unknown[]): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#own.add({ fn, args, scope: this.#ledger.open(), bytes: 0, resolve, reject });
      this.#sendWaiting();
    });
  }

  #sendWaiting(): void {
    while (this.#writer.hasRoom) {
      const call = this.#own.next();
      if (call === undefined) return;
      const id = ++this.#lastId;
      try {
        const { value, extras } = encodeArguments(call.args, this.#lender(call.scope));
        call.args = [];
        call.bytes = this.#send({ call: id, fn: call.fn, args: value, ...unlessEmpty(extras) });
        this.#own.sent(id, call);
      } catch (error) {
        this.#ledger.close(call.scope);
        call.reject(error);
      }
    }
  }

  #answered(id: unknown): OwnCall | undefined {
    const call = this.#own.answered(id as number);
    if (call === undefined) this.#break("protocol", "it answers a call that nobody made");
    return call;
  }

  #takeResult(call: OwnCall, message: Record<string, unknown>): void {
    const { scope } = call;
    const { value = null, extras = [] } = message;
    const isStop = isFunctionItself(extras);
    try {
      if (!isStop && hasFunctions(extras) && this.#options.mayLend?.(call.fn) === false)
        throw new TypeError("a result holds functions, and none are expected there");
      const result = decode({ value, extras }, this.#borrower(scope, isStop));
      if (!isStop && !hasFunctions(extras)) this.#ledger.close(scope);
      call.resolve(result);
    } catch (error) {
      call.reject(new GantryError("PLUGIN_PROTOCOL", (error as Error).message));
      throw error;
    }
  }

  // Calls of the other side.

  #receive(line: Buffer): void {
    if (this.#isGone) return;
    try {
      if (isDeeperThan(maxDepth, line)) throw new TypeError(`a message has more than ${maxDepth} levels`);
      const message: unknown = JSON.parse(line.toString("utf8"));
      if (typeof message !== "object" || message === null) throw new TypeError("a message is no object");
      this.#take(message as Record<string, unknown>, line.length);
    } catch (error) {
      this.#break("protocol", `it sent what cannot be understood: ${(error as Error).message}`);
    }
  }

  #take(message: Record<string, unknown>, bytes: number): void {
    if (Object.hasOwn(message, "call")) void this.#serve(message, bytes);
    else if (Object.hasOwn(message, "tell")) this.#takeNotice(message);
    else if (Object.hasOwn(message, "done")) {
      const call = this.#answered(message.done);
      if (call !== undefined) this.#takeResult(call, message);
    } else if (Object.hasOwn(message, "failed")) {
      const call = this.#answered(message.failed);
      if (call !== undefined) this.#ledger.close(call.scope);
      call?.reject(restoreError(message.error));
    } else if (Object.hasOwn(message, "abort")) this.#ledger.abort(message.abort, restoreError(message.reason));
    else throw new TypeError("a message is of no known kind");
    this.#sendWaiting();
  }

  #takeNotice({ tell, args, extras = [] }: Record<string, unknown>): void {
    if (this.#options.admitNotice?.() === false) {
      this.#break("flood", "it sends more log lines and progress than can be taken");
      return;
    }
    const { given } = this.#lentTo(tell);
    const scope = this.#ledger.open();
    quietly(given, this.#argumentsOf(args, extras, scope));
    this.#ledger.close(scope);
  }

  async #serve({ call, fn, args, extras = [] }: Record<string, unknown>, bytes: number): Promise<void> {
    const id = call as number;
    const scope = this.#ledger.open();
    let lent: LentFunction;
    let given: unknown[];
    try {
      if (!Number.isSafeInteger(call) || this.#foreign.has(id)) throw new TypeError("a call has no number of its own");
      lent = this.#lentTo(fn);
      given = this.#argumentsOf(args, extras, scope);
    } catch (error) {
      this.#break("protocol", (error as Error).message);
      return;
    }
    const { count, bytes: mostBytes } = this.#options.foreignCalls;
    if (this.#foreign.size >= count || (this.#foreign.size > 0 && this.#foreignBytes + bytes > mostBytes)) {
      this.#break("flood", "it makes more calls at once than can be answered");
      return;
    }
    this.#foreign.add(id);
    this.#foreignBytes += bytes;
    try {
      const result = await lent.given(...given);
      if (typeof result === "function") this.#keepStop(result as AnyFunction, bytes);
      this.#answer(id, scope, result);
    } catch (error) {
      this.#ledger.close(scope);
      this.#send({ failed: id, error: carryError(error) });
    } finally {
      this.#foreign.delete(id);
      this.#foreignBytes -= bytes;
      if (lent.endsScope) {
        this.#kept.dropStop(lent.given);
        this.#ledger.close(lent.scope);
      }
    }
  }

  #answer(id: number, scope: Scope, result: unknown): void {
    const isStop = typeof result === "function";
    const { value, extras }: Encoded = encode(result, this.#lender(scope, isStop));
    this.#send({ done: id, value, ...unlessEmpty(extras) });
    if (isStop) return;
    if (hasFunctions(extras)) this.#breakIf(this.#kept.addObject());
    else this.#ledger.close(scope);
  }

  #keepStop(stop: AnyFunction, bytes: number): void {
    if (this.#ended === undefined) this.#breakIf(this.#kept.addStop(stop, bytes));
    else quietly(stop, []);
  }

  #breakIf(flood: string | undefined): void {
    if (flood !== undefined) this.#break("flood", flood);
  }

  #lentTo(fn: unknown): LentFunction {
    const lent = this.#ledger.find(fn);
    if (lent === undefined) throw new TypeError("it calls a function that it was not given");
    return lent;
  }

  #argumentsOf(args: unknown, extras: unknown, scope: Scope): unknown[] {
    if (!Array.isArray(args) || args.length > maxArguments) throw new TypeError("the arguments of a call are no list");
    return decode({ value: args, extras }, this.#borrower(scope, false)) as unknown[];
  }

  #lender(scope: Scope, isStop = false) {
    return {
      lend: (given: AnyFunction) => this.#ledger.lend(given, scope, isStop),
      lendSignal: (signal: AbortSignal) =>
        this.#ledger.lendSignal(signal, scope, (abort, reason) => this.#send({ abort, reason: carryError(reason) })),
    };
  }

  #borrower(scope: Scope, isStop: boolean) {
    return {
      borrow: (id: number, oneWay: boolean) =>
        oneWay ? this.#noticeStandIn(id, scope) : this.#standIn(id, scope, isStop),
      borrowSignal: (id: number, reason: Error | undefined) => this.#ledger.borrowSignal(id, reason, scope),
    };
  }

  /** Gives the bytes; throws MESSAGE_TOO_LARGE. */
  #send(message: Message): number {
    if (this.#isGone) return 0;
    const bytes = this.#writer.write(message);
    if (this.#writer.isFull) this.#break("flood", "it does not read what it asks for");
    return bytes;
  }
}

const unlessEmpty = (extras: Extra[]) => (extras.length === 0 ? {} : { extras });

const hasFunctions = (extras: unknown) => (extras as unknown[][]).some((extra) => extra[1] === "function");

// Its path is empty: it is the result, not a member of it.
const isFunctionItself = (extras: unknown) =>
  Array.isArray(extras) &&
  extras.some((extra) => Array.isArray(extra?.[0]) && extra[0].length === 0 && extra[1] === "function");

const refuse = (): never => {
  throw new TypeError("a notice carries no functions");
};

function quietly(given: AnyFunction, args: unknown[]): void {
  try {
    Promise.resolve(given(...args)).catch(() => {});
  } catch {
    // Nobody waits for it.
  }
}
