// Memory that a connection reads into again and again.

import type { Socket } from "node:net";

/** What one read from the network takes at most. */
export const maxReadBytes = 1 << 20;
/** So many buffers of full size stay for the connections that come next. */
const maxFreeBuffers = 4;
const freeBuffers: Buffer[] = [];

/**
 * Lets a socket read into the same memory again and again. Node makes a new buffer for each read otherwise, and the
 * collector of garbage, which counts small objects, lets them pile up to 80 MB.
 */
export class ReusedBuffer {
  /** Node's setting of that name for a connection. */
  readonly onread: { buffer: Buffer; callback(length: number, buffer: Uint8Array): boolean };
  #socket: Socket | undefined;

  constructor(sizeBytes: number) {
    this.onread = {
      buffer: (sizeBytes === maxReadBytes ? freeBuffers.pop() : undefined) ?? Buffer.allocUnsafeSlow(sizeBytes),
      callback: (length, buffer) => {
        // The parser of HTTP copies what it needs before this returns. What nobody has asked for answers nothing: whoever
        // comes next would take it for theirs.
        if (this.#socket?.emit("data", buffer.subarray(0, length)) === false) this.#socket.destroy();
        return true;
      },
    };
  }

  /** Of a connection that may have been made in another way, without `onread`, as behind a proxy; for one answer. */
  serveOnce(socket: Socket): void {
    this.serve(socket);
    const { buffer } = this.onread;
    socket.on("data", (chunk: Buffer) => {
      if (chunk.buffer !== buffer.buffer) release(chunk);
    });
  }

  serve(socket: Socket): void {
    this.#socket = socket;
    const { buffer } = this.onread;
    // Nothing is read any more then.
    socket.once("close", () => {
      if (buffer.length === maxReadBytes && freeBuffers.length < maxFreeBuffers) freeBuffers.push(buffer);
    });
  }
}

/** Gives the memory of a buffer back that nobody else has a part of; it is not to be read after this. */
export function release(chunk: Buffer): void {
  if (chunk.byteOffset === 0 && chunk.length === chunk.buffer.byteLength) (chunk.buffer as ArrayBuffer).transfer(0);
}
