// The real servers that hubs name for files: one for each provider, each behind a proxy that can be told what becomes of
// requests. S3 and Azure check signatures; the one for HTTP speaks TLS.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificates } from "../../support/certificates.ts";
import { needs } from "../../support/parts.ts";
import { startPutServer } from "../../support/put-server.ts";
import { type Passing, type UnrulyProxy, unrulyProxy } from "../../support/unruly-proxy.ts";
import { openContainer } from "../upload-azure/container.ts";
import { openBucket } from "../upload-s3/bucket.ts";

export const skipStorage = needs("swift-object-server") || needs("openssl");

export interface Storage {
  proxy: UnrulyProxy;
  /** Of a `start`, so that the file is stored under this name; `more` instead of, or beside, the usual ones. */
  options(name: string, more?: Record<string, string>): Record<string, string>;
  read(name: string): Promise<Buffer | undefined>;
  /** SHA-256 of what is stored. */
  digest(name: string): Promise<string | undefined>;
  /** The number of the part that this request sends: 1 also for a whole file; undefined for none. */
  part(request: Passing): number | undefined;
}

export interface Storages extends AsyncDisposable {
  S3: Storage;
  Azure: Storage & {
    /** The option with a signature. */
    signed(permissions: string, more?: { till?: Date; container?: string }): Record<string, string>;
  };
  HTTP: Storage;
  /** For `serverCert` of file-upload. */
  caFile: string;
  /** What must not be found where it can be seen. */
  secrets: string[];
}

/** What `partSizeBytes` of upload-http must be for parts to be counted. */
export const httpPartBytes = 4 << 20;

/** `forget`: the server for HTTP keeps digests only. */
export async function openStorages({ forget = false } = {}): Promise<Storages> {
  const directory = mkdtempSync(join(tmpdir(), "gantry-storages-"));
  const { ca, server: tls } = await makeCertificates(directory);
  const authorization = "Bearer testing-token";
  const [bucket, container, server] = await Promise.all([
    openBucket(),
    openContainer(),
    startPutServer({ authorization, forget }),
  ]);
  const [ofBucket, ofContainer, ofServer] = await Promise.all([
    unrulyProxy(bucket.swift.port),
    unrulyProxy(container.azurite.port),
    unrulyProxy(server.port, { tls }),
  ]);
  const signature = "azure.shared.access.signature";
  return {
    S3: {
      proxy: ofBucket,
      read: bucket.read,
      digest: bucket.digest,
      part: ({ method, url }) => (method === "PUT" ? Number(parameter(url, "partNumber") ?? 1) : undefined),
      options(name, more = {}) {
        const { bucket: into, region, endpoint, accessKeyId, secretAccessKey } = bucket.input(ofBucket.port);
        return {
          ...{ "storage.provider": "aws", "aws.s3.bucket": into, "aws.object.key": name, "aws.region": region },
          ...{ "aws.endpoint": endpoint, "aws.s3.path.style": "true" },
          ...{ "aws.access.key.id": accessKeyId, "aws.secret.access.key": secretAccessKey },
          ...more,
        };
      },
    },
    Azure: {
      proxy: ofContainer,
      read: container.read,
      digest: container.digest,
      part({ method, url }) {
        if (method !== "PUT" || parameter(url, "comp") === "blocklist") return undefined;
        const block = Buffer.from(parameter(url, "blockid") ?? "", "base64").toString();
        return Number(block.split("-")[1] ?? 1);
      },
      signed: (permissions, more) => ({ [signature]: container.sign(permissions, more) }),
      // The blob is named as the file.
      options(_, more = {}) {
        const { endpoint, container: into, sharedAccessSignature } = container.input(ofContainer.port);
        return {
          ...{ "storage.provider": "azure", "azure.storage.endpoint": endpoint, "azure.blob.container": into },
          [signature]: sharedAccessSignature,
          ...more,
        };
      },
    },
    HTTP: {
      proxy: ofServer,
      digest: async (name) => server.digests.get(`/private/${name}`),
      part({ headers }) {
        const [, start] = /^bytes (\*|\d+)/.exec(headers["content-range"] ?? "") ?? [];
        return start === "*" ? undefined : Math.floor(Number(start ?? 0) / httpPartBytes) + 1;
      },
      read: async (name) => server.files.get(`/private/${name}`),
      options: (name, more = {}) => ({
        "https.url": `https://localhost:${ofServer.port}/private/${encodeURIComponent(name)}`,
        "https.header.Authorization": authorization,
        ...more,
      }),
    },
    caFile: ca.certFile,
    secrets: ["testing-key", "testing-token", "sig="],
    async [Symbol.asyncDispose]() {
      for (const each of [ofBucket, ofContainer, ofServer, bucket, container, server])
        await each[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true });
    },
  };
}

const parameter = (url: string, name: string) => new URL(url, "http://localhost").searchParams.get(name);
