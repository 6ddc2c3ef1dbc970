// The control socket of a host: made private before anyone can see it, and gone with the host.

import { once } from "node:events";
import { chmodSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { GantryError } from "../errors.ts";
import { Connection, type ConnectionLimits, connectionLimits } from "./connection.ts";
import { type ControlledHost, callsOf } from "./methods.ts";
import { socketPaths } from "./socket-path.ts";

export interface ControlServer {
  /** Lets the clients go and removes the socket; safe to call again. */
  stop(): Promise<void>;
}

export interface ControlLimits extends ConnectionLimits {
  maxConnections: number;
}

/**
 * Serves `<data>/control.sock`. The caller holds the data folder, so a socket that lies there belongs to a host that is
 * gone, and is replaced. A host that cannot have its socket works without: the log says so, with CONTROL_FAILED.
 */
export async function startControl(host: ControlledHost, limits: Partial<ControlLimits> = {}): Promise<ControlServer> {
  const { maxConnections = 64, ...perConnection } = limits;
  const connections = new Set<Connection>();
  const call = callsOf(host);
  const server = createServer((socket) => {
    const connection = new Connection(socket, call, host.log, { ...connectionLimits, ...perConnection });
    connections.add(connection);
    socket.once("close", () => connections.delete(connection));
  });
  server.maxConnections = maxConnections;
  server.on("drop", () => host.log.debug("a client of the control socket is turned away: there are too many"));
  let remove: () => void;
  try {
    remove = await listenPrivately(server, host.dataDirectory);
  } catch (cause) {
    const error = new GantryError("CONTROL_FAILED", `the control socket cannot be opened: ${(cause as Error).message}`);
    host.log.error(error.message, { code: error.code, remedy: error.remedy });
    return { stop: async () => {} };
  }
  server.on("error", (error) => host.log.error("the control socket fails", { code: "CONTROL_FAILED", err: error }));
  let stopped: Promise<unknown> | undefined;
  return {
    async stop() {
      stopped ??= (async () => {
        // Nobody can come any more, and a newer host's socket is not ours to remove.
        remove();
        const closed = once(server, "close");
        server.close();
        for (const connection of connections) void connection.close();
        await closed;
      })();
      await stopped;
    },
  };
}

/** A socket takes the mode of its making, so it is made in a folder nobody else can enter, and then moved into place. */
async function listenPrivately(server: Server, dataDirectory: string): Promise<() => void> {
  using paths = socketPaths(dataDirectory);
  rmSync(paths.newFolder, { recursive: true, force: true });
  mkdirSync(paths.newFolder, { mode: 0o700 });
  try {
    const listening = once(server, "listening");
    server.listen(paths.newSocket);
    await listening;
    chmodSync(paths.newSocket, 0o600);
    renameSync(paths.newSocket, paths.socket);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    rmSync(paths.newFolder, { recursive: true, force: true });
  }
  return () => {
    using now = socketPaths(dataDirectory);
    rmSync(now.socket, { force: true });
  };
}
