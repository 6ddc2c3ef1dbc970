// The plugin's configuration -> what mqtt.js connects with.

import { readFileSync } from "node:fs";
import { PluginError, parseDuration } from "gantry";
import type { IClientOptions } from "mqtt";
import type { Config } from "./plugin.types.ts";

const schemes: Record<string, NonNullable<IClientOptions["protocol"]>> = {
  mqtt: "mqtt",
  tcp: "mqtt",
  mqtts: "mqtts",
  "mqtt+ssl": "mqtts",
  tcps: "mqtts",
  ssl: "mqtts",
  tls: "mqtts",
  ws: "ws",
  wss: "wss",
};
const defaultPorts: Record<string, number> = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 };

export function connectionOptions(config: Config, clientId: string, password: string | undefined): IClientOptions {
  const url = new URL(config.broker);
  const protocol = schemes[url.protocol.slice(0, -1)]!;
  const secure = protocol === "mqtts" || protocol === "wss";
  const { protocolVersion, username, alpn, caCert, cert, key, window } = config;
  return {
    protocol,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? defaultPorts[protocol]! : Number(url.port),
    ...(protocol === "ws" || protocol === "wss" ? { path: url.pathname } : {}),
    protocolVersion,
    clientId,
    clean: false,
    keepalive: Math.ceil(parseDuration(config.keepAlive)! / 1000),
    connectTimeout: parseDuration(config.connectTimeout)!,
    // Always, also when the broker refuses (its configuration may change); the delay grows in reconnection.ts.
    reconnectPeriod: 250,
    reconnectOnConnackError: true,
    manualConnect: true,
    resubscribe: false,
    queueQoSZero: false,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    // A session that outlives this process by a week keeps its messages until then; 3.1.1 has no such limit.
    ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 7 * 86_400, receiveMaximum: window } } : {}),
    ...(secure
      ? {
          minVersion: "TLSv1.2" as const,
          rejectUnauthorized: true,
          ...(alpn === undefined ? {} : { ALPNProtocols: alpn }),
          ...(caCert === undefined ? {} : { ca: read(caCert) }),
          ...(cert === undefined ? {} : { cert: read(cert) }),
          ...(key === undefined ? {} : { key: read(key) }),
        }
      : {}),
  };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new PluginError("MQTT_CONFIG_FILE_UNREADABLE", `${file}: ${(cause as Error).message}`, { cause });
  }
}
