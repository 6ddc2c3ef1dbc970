// The command's side of the control socket.

import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { GantryError } from "../errors.ts";
import { LineReader } from "../isolation/line-reader.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { asError, type ErrorObject, type Notification, type Response } from "./json-rpc.ts";
import { socketPaths } from "./socket-path.ts";

/** A host answers at once or is stuck; only waiting for a run may last. */
const answerTimeoutMs = 30_000;
/** The longest answer that is taken: a run with its output. */
const maxAnswerBytes = 64 << 20;

interface Waiting {
  resolve(result: Json): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout | undefined;
}

export class ControlClient implements Disposable {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(notification: Notification) => void>();
  #lastId = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    const lines = new LineReader(maxAnswerBytes, (line) => this.#onLine(line));
    socket.on("data", (chunk: Buffer) => {
      if (!lines.push(chunk)) socket.destroy(failed("it answers more than can be taken"));
    });
    socket.on("error", () => {});
    socket.on("close", () => this.#onClose());
  }

  /** Calls back with each notification; none is lost if it is set before the call that asks for them. */
  onNotification(listener: (notification: Notification) => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Rejects with what the host answers (its code, message, remedy), or CONTROL_FAILED when it does not or has ended.
   * `patient`: the answer may take any time.
   */
  async call<Result>(method: string, params: object = {}, { patient = false } = {}): Promise<Result> {
    if (this.#socket.destroyed) throw failed("it has ended");
    const id = ++this.#lastId;
    const answered = new Promise<Json>((resolve, reject) => {
      const late = () => {
        this.#waiting.delete(id);
        reject(failed(`it has not answered ${method} for ${answerTimeoutMs / 1000} s`));
      };
      const timer = patient ? undefined : setTimeout(late, answerTimeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
    });
    this.#socket.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    return (await answered) as Result;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #onLine(line: Buffer): void {
    let message: Partial<Response & Notification> & { error?: ErrorObject };
    try {
      message = JSON.parse(line.toString()) as typeof message;
    } catch {
      this.#socket.destroy();
      return;
    }
    if (message.method !== undefined) {
      const { method, params = {} as JsonObject } = message;
      for (const listener of this.#listeners) listener({ jsonrpc: "2.0", method, params });
      return;
    }
    // Without an id it answers a line that the host could not read, and there is only one such line: ours.
    const ids = typeof message.id === "number" ? [message.id] : [...this.#waiting.keys()];
    for (const id of ids) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      clearTimeout(waiting?.timer);
      if (message.error !== undefined) waiting?.reject(asError(message.error));
      else waiting?.resolve((message as { result: Json }).result);
    }
  }

  #onClose(): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(failed("it has ended the connection"));
    }
    this.#waiting.clear();
  }
}

const failed = (why: string) => new GantryError("CONTROL_FAILED", `the host cannot be asked: ${why}`);

/**
 * The host that works with this data folder; undefined where none answers. Rejects with CONTROL_DENIED (it is another
 * user's) or CONTROL_FAILED.
 */
export async function connectControl(dataDirectory: string): Promise<ControlClient | undefined> {
  try {
    using paths = socketPaths(dataDirectory);
    const socket = createConnection(paths.socket);
    await once(socket, "connect");
    return new ControlClient(socket);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // What is there is no socket, or that of a host which is gone.
    if (["ENOENT", "ECONNREFUSED", "ENOTSOCK", "ENOTDIR"].includes(code ?? "")) return undefined;
    if (code === "EACCES" || code === "EPERM")
      throw new GantryError("CONTROL_DENIED", `the host of ${dataDirectory} belongs to another user: ${message}`);
    throw failed(message);
  }
}
