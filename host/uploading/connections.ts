// Connections to the servers that take uploads: kept open between files, verified, and through the proxies of the host's
// environment.

import type { Agent } from "node:https";
import { PluginError } from "../plugin-error.ts";
import { readTlsFiles, type TlsFiles } from "../toolkit/tls-files.ts";

/** How many are kept; there is one for each set of certificates. */
const maxAgents = 16;

export class UploadConnections {
  readonly #agents = new Map<string, Agent>();

  /** Reads the files anew each time: certificates are replaced while a host runs. Throws UPLOAD_CERTIFICATE_UNREADABLE. */
  agentFor(url: URL, files: TlsFiles): Agent {
    const tls = url.protocol === "https:" ? readTlsFiles(files, unreadable) : {};
    const key = JSON.stringify([url.protocol, tls]);
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    // As a built-in module: an import would load much that is not needed here (fetch and its parser).
    const { Agent: AgentOf } = process.getBuiltinModule(
      url.protocol === "https:" ? "node:https" : "node:http",
    ) as typeof import("node:https");
    const agent = new AgentOf({ keepAlive: true, proxyEnv: process.env, minVersion: "TLSv1.2", ...tls });
    this.#agents.set(key, agent);
    const [oldest] = this.#agents.keys();
    if (this.#agents.size > maxAgents) this.#agents.delete(oldest!);
    return agent;
  }

  /** Ends those that are idle. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }
}

const unreadable = (message: string, cause?: unknown) =>
  new PluginError("UPLOAD_CERTIFICATE_UNREADABLE", message, { cause });
