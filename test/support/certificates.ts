// Certificates made when a test runs, so that none in the repository expires.

import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Paths of PEM files. */
export interface Certificate {
  certFile: string;
  keyFile: string;
  cert: string;
  key: string;
}

export interface Certificates {
  ca: Certificate;
  /** For localhost and 127.0.0.1. */
  server: Certificate;
  /** For elsewhere.example only. */
  otherName: Certificate;
  /** For localhost and 127.0.0.1, ended long ago. */
  expired: Certificate;
  client: Certificate;
  /** Has signed none of these. */
  otherCa: Certificate;
}

const here = "subjectAltName=DNS:localhost,IP:127.0.0.1";

/** Needs openssl; see `needs("openssl")`. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  const [ca, otherCa] = await Promise.all([authority(directory, "ca"), authority(directory, "other-ca")]);
  const [server, otherName, expired, client] = await Promise.all([
    signed(directory, "server", ca, [here, "extendedKeyUsage=serverAuth"]),
    signed(directory, "other-name", ca, ["subjectAltName=DNS:elsewhere.example", "extendedKeyUsage=serverAuth"]),
    signed(directory, "expired", ca, [here, "extendedKeyUsage=serverAuth"], ["20200101000000Z", "20200201000000Z"]),
    signed(directory, "client", ca, ["extendedKeyUsage=clientAuth"]),
  ]);
  return { ca, server, otherName, expired, client, otherCa };
}

async function authority(directory: string, name: string): Promise<Certificate> {
  const { certFile, keyFile } = filesOf(directory, name);
  const extensions = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign,cRLSign"];
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"],
    ...["-subj", `/CN=gantry test ${name}`, "-keyout", keyFile, "-out", certFile, ...extensions],
  ]);
  return read(certFile, keyFile);
}

async function signed(
  directory: string,
  name: string,
  ca: Certificate,
  extensions: string[],
  dates?: [from: string, to: string],
): Promise<Certificate> {
  const { certFile, keyFile } = filesOf(directory, name);
  const requestFile = join(directory, `${name}.csr`);
  await run("openssl", [
    ...["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-subj", `/CN=gantry test ${name}`, "-keyout", keyFile, "-out", requestFile],
  ]);
  // Of the commands of OpenSSL 3.0 only `ca` takes a beginning and an end in the past; it wants a database.
  const settingsFile = join(directory, `${name}.cnf`);
  const indexFile = join(directory, `${name}.index`);
  await writeFile(indexFile, "");
  await writeFile(settingsFile, settings(indexFile, extensions));
  const validity = dates === undefined ? ["-days", "30"] : ["-startdate", dates[0], "-enddate", dates[1]];
  await run("openssl", [
    ...["ca", "-batch", "-notext", "-config", settingsFile, "-cert", ca.certFile, "-keyfile", ca.keyFile],
    ...["-in", requestFile, "-out", certFile, "-outdir", directory, ...validity],
  ]);
  return read(certFile, keyFile);
}

function settings(indexFile: string, extensions: string[]): string {
  return `[ca]
default_ca = own
[own]
database = ${indexFile}
default_md = sha256
policy = any
x509_extensions = extensions
unique_subject = no
rand_serial = yes
[any]
commonName = supplied
[extensions]
${extensions.join("\n")}
`;
}

const filesOf = (directory: string, name: string) => ({
  certFile: join(directory, `${name}.pem`),
  keyFile: join(directory, `${name}.key`),
});

async function read(certFile: string, keyFile: string): Promise<Certificate> {
  return { certFile, keyFile, cert: await readFile(certFile, "utf8"), key: await readFile(keyFile, "utf8") };
}
