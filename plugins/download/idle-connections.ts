// Connections that wait a moment for the next download from the same server, with the same certificates: many small files
// need one handshake only.

import type { Agent } from "node:https";
import type { Socket } from "node:net";
import { maxReadBytes, ReusedBuffer } from "./reused-buffer.ts";

/** Less than servers wait before they close one, which is 5 s mostly. */
const idleMs = 2000;

/** For each server. */
const maxIdle = 16;

const agents = new Map<string, Agent>();

/** Undefined where a proxy may be on the way: each connection through it is one of its own. */
export function idleConnections(protocol: string): Agent | undefined {
  if (["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"].some((name) => process.env[name])) return undefined;
  const known = agents.get(protocol);
  if (known !== undefined) return known;
  const agent = agentOf(protocol);
  agents.set(protocol, agent);
  return agent;
}

/** Those that nobody uses at the moment. */
export function closeIdleConnections(): void {
  for (const { freeSockets } of agents.values())
    for (const socket of Object.values(freeSockets).flat()) socket?.destroy();
}

// Node's agent tells servers and certificates apart, and takes away what is closed or has waited long enough.
function agentOf(protocol: string): Agent {
  const { Agent: AgentOf } = process.getBuiltinModule(
    protocol === "https:" ? "node:https" : "node:http",
  ) as typeof import("node:https");
  class Connections extends AgentOf {
    override createConnection(...[options, callback]: Parameters<Agent["createConnection"]>) {
      const reading = new ReusedBuffer(maxReadBytes);
      const socket = super.createConnection({ ...options, onread: reading.onread } as typeof options, callback);
      reading.serve(socket as Socket);
      return socket;
    }
  }
  // Without sessions: each handshake verifies the server's certificate.
  return new Connections({ keepAlive: true, timeout: idleMs, maxFreeSockets: maxIdle, maxCachedSessions: 0 });
}
