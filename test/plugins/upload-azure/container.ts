// A container on a server, seen from outside the plugin.

import { createHash } from "node:crypto";
import {
  ContainerClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { type Azurite, startAzurite } from "../../support/azurite.ts";

export interface Container extends AsyncDisposable {
  azurite: Azurite;
  /** A signature for this container; `permissions` as in `racwl`. */
  sign(permissions: string, more?: { from?: Date; till?: Date; container?: string }): string;
  /** The step's input but for path and name, by way of this port. */
  input(port: number, sas?: string): { endpoint: string; container: string; sharedAccessSignature: string };
  read(name: string): Promise<Buffer | undefined>;
  /** SHA-256 of what it has. */
  digest(name: string): Promise<string>;
  client: ContainerClient;
}

export async function openContainer(): Promise<Container> {
  const azurite = await startAzurite();
  const { accountName, accountKey, port } = azurite;
  const credential = new StorageSharedKeyCredential(accountName, accountKey);
  const client = new ContainerClient(`http://127.0.0.1:${port}/${accountName}/files`, credential);
  await client.create();
  const sign: Container["sign"] = (permissions, { from, till, container = "files" } = {}) =>
    generateBlobSASQueryParameters(
      {
        containerName: container,
        permissions: ContainerSASPermissions.parse(permissions),
        ...(from === undefined ? {} : { startsOn: from }),
        expiresOn: till ?? new Date(Date.now() + 3_600_000),
        protocol: SASProtocol.HttpsAndHttp,
      },
      credential,
    ).toString();
  const usual = sign("cw");
  return {
    azurite,
    client,
    sign,
    input: (through, sas = usual) => ({
      endpoint: `http://127.0.0.1:${through}/${accountName}/`,
      container: "files",
      sharedAccessSignature: sas,
    }),
    async read(name) {
      const blob = client.getBlobClient(name);
      return (await blob.exists()) ? await blob.downloadToBuffer() : undefined;
    },
    async digest(name) {
      const { readableStreamBody } = await client.getBlobClient(name).download();
      const hash = createHash("sha256");
      for await (const chunk of readableStreamBody as AsyncIterable<Buffer>) hash.update(chunk);
      return hash.digest("hex");
    },
    [Symbol.asyncDispose]: () => azurite[Symbol.asyncDispose](),
  };
}
