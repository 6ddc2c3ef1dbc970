// One GET, over a connection that an earlier one has left, if there is such a one.

import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Agent as AgentType, RequestOptions } from "node:https";
import type { SecureContextOptions } from "node:tls";
import { PluginError } from "gantry";
import { shown } from "gantry/toolkit/addresses";
import { connectionFailure } from "./failures.ts";
import { idleConnections } from "./idle-connections.ts";
import { maxReadBytes, ReusedBuffer } from "./reused-buffer.ts";

/** What one read from the network takes at most where the transfer is limited: a quarter of a second's share. */
const minReadBytes = 4096;

export interface GetOptions {
  headers: IncomingHttpHeaders;
  tls: SecureContextOptions;
  /** How long the server may say nothing before its answer begins. */
  silenceMs: number;
  /** The limit of the transfer, if it has one. */
  bytesPerSecond: number | undefined;
  signal: AbortSignal;
}

/** The response, whatever its status, with its body still to come. Rejects with a coded failure or the signal's reason. */
export async function get(url: URL, options: GetOptions): Promise<IncomingMessage> {
  const { bytesPerSecond = Number.POSITIVE_INFINITY } = options;
  const readBytes = Math.max(minReadBytes, Math.min(maxReadBytes, Math.ceil(bytesPerSecond / 4)));
  const agent = readBytes === maxReadBytes ? idleConnections(url.protocol) : undefined;
  if (agent !== undefined) {
    const response = await ask(url, options, agent);
    if (response !== "stale") return response;
  }
  // As a built-in module: an import would load much that is not needed here (fetch and its parser).
  const { Agent } = modulesOf(url);
  // HTTP_PROXY, HTTPS_PROXY and NO_PROXY are heeded by Node's own agent.
  const own = new Agent({ proxyEnv: process.env, keepAlive: false });
  return (await ask(url, options, own, new ReusedBuffer(readBytes))) as IncomingMessage;
}

/** "stale": it was an earlier connection, and the server, which had closed it, has not begun to answer. */
function ask(
  url: URL,
  { headers, tls, silenceMs, signal }: GetOptions,
  agent: AgentType,
  reading?: ReusedBuffer,
): Promise<IncomingMessage | "stale"> {
  const options: RequestOptions & { onread?: object } = {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    ...(url.port === "" ? {} : { port: url.port }),
    path: url.pathname + url.search,
    method: "GET",
    headers: { host: url.host, "user-agent": "gantry", accept: "*/*", "accept-encoding": "identity", ...headers },
    agent,
    timeout: silenceMs,
    signal,
    minVersion: "TLSv1.2",
    ...tls,
    ...(reading === undefined ? {} : { onread: reading.onread }),
  };
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = modulesOf(url).request(options, (response) => {
      // From here on whoever reads the body watches for silence: the socket is silent, too, while a slow disk holds
      // the reading up.
      sent.setTimeout(0);
      resolve(response);
    });
    if (reading !== undefined) sent.on("socket", (socket) => reading.serveOnce(socket));
    sent.on("timeout", () => sent.destroy(silent(shown(url), silenceMs)));
    sent.on("error", (error) => {
      if (signal.aborted) reject(signal.reason);
      else if (sent.reusedSocket && !(error instanceof PluginError)) resolve("stale");
      else reject(connectionFailure(error, shown(url)));
    });
    sent.end();
  });
}

const modulesOf = ({ protocol }: URL) =>
  process.getBuiltinModule(protocol === "https:" ? "node:https" : "node:http") as typeof import("node:https");

export function silent(where: string, silenceMs: number): PluginError {
  return new PluginError("DOWNLOAD_SILENT", `${where} said nothing for ${silenceMs} ms`);
}
