// @ts-check
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** @import { Socket } from "node:net" */
/** @import { Emit, Trigger } from "gantry" */
/** @import { ReceivedOptions } from "../plugin.types.d.ts" */

/** What a sender may write without an end of line. */
const maxLineLength = 65_536;

/**
 * Listens on the loopback interface. Each line is `{"id": 1, "input": ...}`, and is answered by
 * `{"id": 1, "run": ...}` once the run is on disk, or by `{"id": 1, "error": ...}`.
 * @type {Trigger<ReceivedOptions>}
 */
export const received = {
  async start({ port }, emit, { log }) {
    /** @type {Set<Socket>} */
    const sockets = new Set();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      // A sender that goes is none of our business.
      socket.on("error", () => {});
      serve(socket, emit);
    });
    server.maxConnections = 64;
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    log.info("listens", { port: typeof address === "object" ? address?.port : port });
    return async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    };
  },
};

/**
 * @param {Socket} socket
 * @param {Emit} emit
 */
function serve(socket, emit) {
  const from = `${socket.remoteAddress}:${socket.remotePort}`;
  let rest = "";
  socket.setEncoding("utf8").on("data", (text) => {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > maxLineLength) socket.destroy();
    for (const line of lines) void answer(line).then((said) => socket.write(`${JSON.stringify(said)}\n`));
  });

  /** @param {string} line */
  async function answer(line) {
    const message = parse(line);
    if (message === undefined)
      return { error: { code: "LINE_INVALID", message: 'no {"id": 1 to 65535, "input": ...}' } };
    const { id, input } = message;
    try {
      // Who has heard no answer sends the same line again, and hears of the run that it has already given.
      const fingerprint = createHash("sha256").update(line).digest("hex");
      const { runId } = await emit({
        input,
        event: { from },
        delivery: { key: String(id), fingerprint, redelivered: true },
      });
      return { id, run: runId };
    } catch (error) {
      const {
        code = "FAILED",
        message: why,
        retryable = false,
      } = /** @type {Error & { code?: string, retryable?: boolean }} */ (error);
      return { id, error: { code, message: why, retryable } };
    }
  }
}

/**
 * @param {string} line
 * @returns {{ id: number, input: import("gantry").Json } | undefined}
 */
function parse(line) {
  try {
    const { id, input } = JSON.parse(line);
    return Number.isInteger(id) && id >= 1 && id <= 65_535 && input !== undefined ? { id, input } : undefined;
  } catch {
    return undefined;
  }
}
