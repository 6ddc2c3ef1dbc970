// The PEM files that a TLS connection takes, read anew each time: certificates are replaced while a host runs.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { SecureContextOptions } from "node:tls";

/** Paths; null or an empty text is as good as nothing, as in configurations that name each setting. */
export interface TlsFiles {
  /** The authorities that servers are verified with; default: those of the system. */
  caCert?: string | null | undefined;
  clientCert?: string | null | undefined;
  /** Default: the key is in the file of the certificate. */
  clientKey?: string | null | undefined;
}

/** Makes the error of whoever reads; the message names the file. */
export type Unreadable = (message: string, cause?: unknown) => Error;

/** For `node:tls` and `node:https`. Throws what `unreadable` makes. */
export function readTlsFiles(
  { caCert, clientCert, clientKey }: TlsFiles,
  unreadable: Unreadable,
): SecureContextOptions {
  const keyFile = clientKey || clientCert;
  return {
    ...(caCert ? { ca: readCertificates(caCert, unreadable) } : {}),
    ...(clientCert ? { cert: readCertificates(clientCert, unreadable) } : {}),
    ...(keyFile ? { key: readKey(keyFile, unreadable) } : {}),
  };
}

function readCertificates(file: string, unreadable: Unreadable): string {
  const pem = read(file, unreadable);
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) throw unreadable(`${file}: it holds no certificate`);
  try {
    // TLS leaves out what it cannot read, and would then trust nobody.
    for (const certificate of certificates) new X509Certificate(certificate);
  } catch (cause) {
    throw unreadable(`${file}: ${(cause as Error).message}`, cause);
  }
  return pem;
}

function readKey(file: string, unreadable: Unreadable): string {
  const pem = read(file, unreadable);
  try {
    createPrivateKey(pem);
  } catch (cause) {
    throw unreadable(`${file}: it holds no private key that can be read without a password`, cause);
  }
  return pem;
}

function read(file: string, unreadable: Unreadable): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw unreadable(`${file}: ${(cause as Error).message}`, cause);
  }
}
