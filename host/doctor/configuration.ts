// What the configuration asks of the machine: documents without faults, secrets, a broker or a free port.

import { once } from "node:events";
import { createServer, connect as openSocket } from "node:net";
import type { HostDocuments } from "../loading/read-host.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { isSecretReference, readSecret } from "../secrets.ts";
import { type Finding, good, missing } from "./finding.ts";

export function checkDocuments({ faults, workflows, plugins }: HostDocuments): Finding {
  const about = "documents";
  const serious = faults.filter(({ severity }) => severity === "fault");
  const [first] = serious;
  if (first === undefined) return good(about, `${plugins.length} plugins, ${workflows.length} active workflows`);
  const place = `${first.file}:${first.line}:${first.column}`;
  const message = `${serious.length} ${serious.length === 1 ? "fault" : "faults"}; the first: ${place} ${first.message}`;
  return missing(about, message, "Run `gantry validate`, which shows each with its place.");
}

/** One finding for each secret that the configuration of an enabled plugin names. */
export async function checkSecrets({ plugins }: Pick<HostDocuments, "plugins">): Promise<Finding[]> {
  const names = new Set(plugins.flatMap(({ config }) => secretsIn(config)));
  const check = async (name: string) => {
    const about = `secret ${name}`;
    try {
      await readSecret(name);
      return good(about, "there");
    } catch (error) {
      const remedy = `Set GANTRY_SECRET_${name} where the host runs, or LoadCredential=${name}:... in its systemd unit.`;
      return missing(about, (error as Error).message, remedy);
    }
  };
  return Promise.all([...names].map(check));
}

function secretsIn(value: Json): string[] {
  if (isSecretReference(value)) return [value.$secret];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(secretsIn);
}

/** Whether somebody listens where the broker is said to be. */
export async function checkBroker(url: string): Promise<Finding> {
  const about = "broker";
  const { hostname, port, protocol } = new URL(url);
  const isSecure = /^(?:mqtts|ssl|tls|tcps|mqtt\+ssl):$/.test(protocol);
  const usual = protocol === "ws:" ? 80 : protocol === "wss:" ? 443 : isSecure ? 8883 : 1883;
  const address = { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? usual : Number(port) };
  const socket = openSocket(address);
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(5000) });
    return good(about, `${address.host}:${address.port} answers`);
  } catch (error) {
    const reason = (error as Error).name === "AbortError" ? "no answer within 5 s" : (error as Error).message;
    const remedy =
      "Start the broker, or correct `broker` of the plugin mqtt in plugins.json; the host works without it meanwhile.";
    return missing(about, `${url} cannot be reached: ${reason}`, remedy);
  } finally {
    socket.destroy();
  }
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

/** The broker's settings, where the plugin mqtt is there. */
export function brokerOf({
  catalogue,
}: Pick<HostDocuments, "catalogue">): { broker: string; port: number } | undefined {
  const config = catalogue.config.mqtt as JsonObject | undefined;
  return config === undefined ? undefined : (config as { broker: string; port: number });
}
