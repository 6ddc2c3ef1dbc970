// One client of the control socket: reads its requests, answers them, and holds only so much for it.

import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { GantryError } from "../errors.ts";
import { LineReader } from "../isolation/line-reader.ts";
import type { HostLog } from "../log.ts";
import type { Json, JsonObject } from "../sdk.ts";
import {
  answerFailure,
  maxRequestBytes,
  type Notification,
  type RequestId,
  type Response,
  readRequest,
  refuse,
  standardErrors,
} from "./json-rpc.ts";

export interface CallContext {
  /** Tells the client something of itself. What is `expendable` is left out while the client is slow to read. */
  notify(method: string, params: JsonObject, options?: { expendable?: boolean }): void;
  /** Aborted when the client is gone, or the host is going (HOST_STOPPING). */
  readonly gone: AbortSignal;
  /** Called once the client is gone. */
  defer(end: () => void): void;
}

/** Gives `undefined` where there is no such method; rejects with a coded error. */
export type Call = (method: string, params: JsonObject, context: CallContext) => Promise<Json> | undefined;

export interface ConnectionLimits {
  /** Of requests that are not answered yet. */
  maxOpenRequests: number;
  /** A client with more unread bytes is not read from, and is told no more that is expendable. */
  pauseAboveBytes: number;
  /** A client with more unread bytes is cut off. */
  maxUnreadBytes: number;
  /** A client that has asked for nothing is let go after this time, and so is one that reads nothing. */
  idleMs: number;
}

export const connectionLimits: ConnectionLimits = {
  maxOpenRequests: 64,
  pauseAboveBytes: 256 * 1024,
  maxUnreadBytes: 4 << 20,
  idleMs: 30_000,
};

/** How long the host waits for open answers when it goes, and then for the client to read them. */
const partingMs = 500;

export class Connection implements CallContext {
  readonly #socket: Socket;
  readonly #call: Call;
  readonly #log: HostLog;
  readonly #limits: ConnectionLimits;
  readonly #gone = new AbortController();
  readonly #ends: (() => void)[] = [];
  /** Of requests that are not answered yet. */
  readonly #open = new Set<Promise<void>>();

  constructor(socket: Socket, call: Call, log: HostLog, limits: ConnectionLimits) {
    this.#socket = socket;
    this.#call = call;
    this.#log = log;
    this.#limits = limits;
    const lines = new LineReader(maxRequestBytes, (line) => this.#onLine(line));
    socket.on("data", (chunk: Buffer) => {
      if (!lines.push(chunk)) this.#refuseLine();
    });
    socket.on("drain", () => socket.resume());
    // What the client does to its end is its own affair.
    socket.on("error", () => {});
    socket.on("close", () => this.#end());
    socket.setTimeout(limits.idleMs, () => this.#onIdle());
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  notify(method: string, params: JsonObject, { expendable = false } = {}): void {
    if (expendable && this.#socket.writableLength > this.#limits.pauseAboveBytes) return;
    this.#write({ jsonrpc: "2.0", method, params });
  }

  defer(end: () => void): void {
    if (this.#gone.signal.aborted) end();
    else this.#ends.push(end);
  }

  /**
   * The host is going: takes no more requests, and lets the answers to those that are open leave, if they come and the
   * client reads them soon.
   */
  async close(): Promise<void> {
    this.#socket.pause();
    this.#gone.abort(new GantryError("HOST_STOPPING", "the host is stopping"));
    await Promise.race([Promise.all(this.#open), sleep(partingMs, undefined, { ref: false })]);
    this.#socket.destroySoon();
    setTimeout(() => this.#socket.destroy(), partingMs).unref();
  }

  #onLine(line: Buffer): void {
    if (!this.#socket.writable) return;
    const reading = readRequest(line);
    if ("refusal" in reading) {
      this.#write(reading.refusal);
      return;
    }
    const { id, method, params } = reading.request;
    const answer = (response: Response) => {
      if (id !== undefined) this.#write(response);
    };
    if (this.#open.size >= this.#limits.maxOpenRequests) {
      answer(refuse(id ?? null, standardErrors.request, "too many are open; wait for their answers"));
      return;
    }
    const called = this.#call(method, params, this);
    if (called === undefined) {
      answer(refuse(id ?? null, standardErrors.method, method.slice(0, 100)));
      return;
    }
    const open: Promise<void> = called
      .then(
        (result) => answer({ jsonrpc: "2.0", id: id ?? null, result }),
        (error) => this.#answerFailure(answer, id ?? null, method, error),
      )
      .finally(() => this.#open.delete(open));
    this.#open.add(open);
  }

  #answerFailure(answer: (response: Response) => void, id: RequestId, method: string, error: unknown): void {
    const failed = answerFailure(id, error);
    if ("error" in failed && failed.error.code === standardErrors.internal.code)
      this.#log.error("a control request fails", { method, err: error });
    answer(failed);
  }

  #write(message: Response | Notification): void {
    const socket = this.#socket;
    if (!socket.writable) return;
    if (socket.writableLength > this.#limits.maxUnreadBytes) {
      this.#cutOff("it does not read what it is told");
      return;
    }
    socket.write(`${JSON.stringify(message)}\n`);
    // Nothing is asked any more until something was read; `drain` goes on.
    if (socket.writableLength > this.#limits.pauseAboveBytes) socket.pause();
  }

  #refuseLine(): void {
    this.#write(refuse(null, standardErrors.request, `it is longer than ${maxRequestBytes} bytes`));
    this.#socket.pause();
    this.#socket.destroySoon();
  }

  #onIdle(): void {
    if (this.#socket.writableLength > 0) this.#cutOff("it does not read what it is told");
    else if (this.#open.size === 0 && this.#ends.length === 0) this.#socket.destroySoon();
  }

  #cutOff(reason: string): void {
    this.#log.warn(`a client of the control socket is cut off: ${reason}`);
    this.#socket.destroy();
  }

  #end(): void {
    this.#gone.abort();
    for (const end of this.#ends.splice(0)) end();
  }
}
