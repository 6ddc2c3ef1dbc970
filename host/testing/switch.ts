// A way to a server on loopback that can be cut: while it is off, connections are refused.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Switch implements AsyncDisposable {
  readonly port: number;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket) => this.#pass(socket));
  }

  /** A way to this port, from a free one. */
  static async to(target: number): Promise<Switch> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Switch(server, target);
  }

  get isOnline(): boolean {
    return this.#server !== undefined;
  }

  /** Cuts all connections and refuses further ones. */
  async offline(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Lets connections through again, on the same port. */
  async online(): Promise<void> {
    if (this.#server !== undefined) return;
    this.#server = createServer((socket) => this.#pass(socket)).listen(this.port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.offline();
  }

  #pass(from: Socket): void {
    const to = connect(this.#target, "127.0.0.1");
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      this.#sockets.add(one);
      one.pipe(other);
      one.on("error", () => {});
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
