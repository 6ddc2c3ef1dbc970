// The broker of the plugin mqtt: whether one answers where it is said to be, or the embedded one can have its port.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, connect as openSocket, type Socket } from "node:net";
import { connect as openSecure } from "node:tls";
import type { HostDocuments } from "../loading/read-host.ts";
import type { JsonObject } from "../sdk.ts";
import { type Finding, good, missing } from "./finding.ts";

export interface BrokerSettings {
  /** `embedded`, or a URL. */
  broker: string;
  port?: number;
  /** PEM file with the authorities its certificate is verified with. */
  caCert?: string;
}

/** Where the plugin mqtt is there. */
export function brokerOf({ catalogue }: Pick<HostDocuments, "catalogue">): BrokerSettings | undefined {
  return catalogue.config.mqtt as (JsonObject & BrokerSettings) | undefined;
}

/** A connection, and a certificate that can be trusted where there is one; nothing is said to the broker. */
export async function checkBroker({ broker, caCert }: BrokerSettings): Promise<Finding> {
  const about = "broker";
  const { hostname, port, protocol } = new URL(broker);
  const isSecure = /^(?:mqtts|ssl|tls|tcps|mqtt\+ssl|wss):$/.test(protocol);
  const usual = protocol === "ws:" ? 80 : protocol === "wss:" ? 443 : isSecure ? 8883 : 1883;
  const host = hostname.replace(/^\[|\]$/g, "");
  const address = { host, port: port === "" ? usual : Number(port) };
  let socket: Socket | undefined;
  try {
    if (isSecure) {
      const ca = caCert === undefined ? {} : { ca: readFileSync(caCert) };
      socket = openSecure({
        ...address,
        ...ca,
        servername: /^[\d.]+$|:/.test(host) ? "" : host,
        minVersion: "TLSv1.2",
      });
    } else socket = openSocket(address);
    await once(socket, isSecure ? "secureConnect" : "connect", { signal: AbortSignal.timeout(5000) });
    return good(about, `${host}:${address.port} answers${isSecure ? ", with a certificate that is trusted" : ""}`);
  } catch (error) {
    const { name, message, code = "" } = error as NodeJS.ErrnoException;
    const reason = name === "AbortError" ? "no answer within 5 s" : message;
    return missing(about, `${broker} cannot be reached: ${reason}`, remedyFor(code, caCert));
  } finally {
    socket?.destroy();
  }
}

function remedyFor(code: string, caCert: string | undefined): string {
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID")
    return "Renew the broker's certificate; if it is valid, set this device's clock.";
  if (/CERT|SIGNATURE|ALTNAME|ISSUER/.test(code))
    return `Name the authority that signed the broker's certificate in \`caCert\` of the plugin mqtt${caCert === undefined ? "" : ` (it is ${caCert} now)`}.`;
  return "Start the broker, or correct `broker` of the plugin mqtt in plugins.json; the host works without it meanwhile.";
}

/** Whether the embedded broker will find its port free. */
export async function checkPort(port: number): Promise<Finding> {
  const about = "port";
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return good(about, `${port} is free for the embedded broker`);
  } catch (error) {
    const remedy = "Another broker may run there: use its URL as `broker`, or give the embedded one another `port`.";
    return missing(about, `the embedded broker cannot have ${port}: ${(error as Error).message}`, remedy);
  } finally {
    server.close();
  }
}
