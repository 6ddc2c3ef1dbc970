import type { Socket } from "node:net";
import { GantryError } from "../errors.ts";

/** Writes JSON lines to a socket, those of one turn together, and knows how much of them has not been read. */
export class LineWriter {
  readonly #socket: Socket;
  readonly #maxBytes: number;
  readonly #unreadBytes: number;
  #isCorked = false;

  /** There is room while the other side has not read a quarter of `unreadBytes`. */
  constructor(socket: Socket, maxBytes: number, unreadBytes: number) {
    this.#socket = socket;
    this.#maxBytes = maxBytes;
    this.#unreadBytes = unreadBytes;
  }

  get hasRoom(): boolean {
    return this.#socket.writableLength < this.#unreadBytes / 4;
  }

  /** Whether more than `unreadBytes` wait. */
  get isFull(): boolean {
    return this.#socket.writableLength > this.#unreadBytes;
  }

  /** Resolves once there is room, or the socket is closed. */
  async room(): Promise<void> {
    const socket = this.#socket;
    while (!socket.destroyed && !this.hasRoom) {
      const { promise, resolve } = Promise.withResolvers<void>();
      socket.once("drain", resolve).once("close", resolve);
      await promise;
      socket.off("drain", resolve).off("close", resolve);
    }
  }

  /** Gives the bytes; throws MESSAGE_TOO_LARGE. */
  write(message: unknown): number {
    const line = `${JSON.stringify(message)}\n`;
    const bytes = Buffer.byteLength(line);
    if (bytes > this.#maxBytes)
      throw new GantryError(
        "MESSAGE_TOO_LARGE",
        `${bytes} bytes in one message, at most ${this.#maxBytes} are possible`,
      );
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(line);
    return bytes;
  }
}
