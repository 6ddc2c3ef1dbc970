// The PEM files that a TLS connection takes, read anew each time: certificates are replaced while a host runs.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { SecureContextOptions } from "node:tls";
import { PluginError } from "gantry";

export interface TlsFiles {
  caCert?: string | undefined;
  clientCert?: string | undefined;
  clientKey?: string | undefined;
}

/** Throws DOWNLOAD_CERTIFICATE_UNREADABLE, which names the file. */
export function readTlsFiles({ caCert, clientCert, clientKey }: TlsFiles): SecureContextOptions {
  return {
    ...(caCert === undefined ? {} : { ca: readCertificates(caCert) }),
    ...(clientCert === undefined ? {} : { cert: readCertificates(clientCert) }),
    // The key may stand in the file of the certificate.
    ...(clientKey === undefined && clientCert === undefined ? {} : { key: readKey((clientKey ?? clientCert)!) }),
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
    throw unreadable(file, `it holds no private key that can be read without a password`, cause);
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
  return new PluginError("DOWNLOAD_CERTIFICATE_UNREADABLE", `${file}: ${why}`, { cause });
}
