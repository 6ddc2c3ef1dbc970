// Connections to the servers that take uploads: kept open between files, verified, and through the proxies of the host's
// environment.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Agent } from "node:https";
import type { SecureContextOptions } from "node:tls";
import { PluginError } from "../plugin-error.ts";

/** PEM files. */
export interface TlsFiles {
  /** The authorities that servers are verified with; default: those of the system. */
  caCert?: string | null | undefined;
  clientCert?: string | null | undefined;
  /** Default: the key is in the file of the certificate. */
  clientKey?: string | null | undefined;
}

/** How many are kept; there is one for each set of certificates. */
const maxAgents = 16;

export class UploadConnections {
  readonly #agents = new Map<string, Agent>();

  /** Reads the files anew each time: certificates are replaced while a host runs. Throws UPLOAD_CERTIFICATE_UNREADABLE. */
  agentFor(url: URL, files: TlsFiles): Agent {
    const tls = url.protocol === "https:" ? readTlsFiles(files) : {};
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

function readTlsFiles({ caCert, clientCert, clientKey }: TlsFiles): SecureContextOptions {
  const keyFile = clientKey ?? clientCert;
  return {
    ...(caCert == null ? {} : { ca: readCertificates(caCert) }),
    ...(clientCert == null ? {} : { cert: readCertificates(clientCert) }),
    ...(keyFile == null ? {} : { key: readKey(keyFile) }),
  };
}

function readCertificates(file: string): string {
  const pem = read(file);
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) throw unreadable(file, "it holds no certificate");
  try {
    // TLS leaves out what it cannot read, and would then trust nobody.
    for (const certificate of certificates) new X509Certificate(certificate);
  } catch (cause) {
    throw unreadable(file, (cause as Error).message, cause);
  }
  return pem;
}

function readKey(file: string): string {
  const pem = read(file);
  try {
    createPrivateKey(pem);
  } catch (cause) {
    throw unreadable(file, "it holds no private key that can be read without a password", cause);
  }
  return pem;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw unreadable(file, (cause as Error).message, cause);
  }
}

function unreadable(file: string, why: string, cause?: unknown): PluginError {
  return new PluginError("UPLOAD_CERTIFICATE_UNREADABLE", `${file}: ${why}`, { cause });
}
