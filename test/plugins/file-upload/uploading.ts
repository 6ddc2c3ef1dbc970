// A device that uploads what it is asked for, its hub, and a server with TLS from a test's own authority.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificates } from "../../support/certificates.ts";
import { type PutServer, startPutServer } from "../../support/put-server.ts";
import { Hub, nameOf, type UploadRequest } from "./hub.ts";

export class Uploading implements AsyncDisposable {
  /** The folder of the device's files. */
  readonly files: string;
  readonly server: PutServer;
  readonly hub: Hub;
  readonly #started: AsyncDisposableStack;

  private constructor(files: string, server: PutServer, hub: Hub, started: AsyncDisposableStack) {
    this.files = files;
    this.server = server;
    this.hub = hub;
    this.#started = started;
  }

  static async start(): Promise<Uploading> {
    await using started = new AsyncDisposableStack();
    const directory = mkdtempSync(join(tmpdir(), "gantry-uploading-"));
    started.defer(() => rmSync(directory, { recursive: true }));
    const files = join(directory, "files");
    mkdirSync(files);
    const { ca, server: certificate } = await makeCertificates(directory);
    const server = started.use(await startPutServer({ tls: certificate, authorization: "Bearer open-sesame" }));
    const upload = { mode: "lax", serverCert: ca.certFile, retries: 0 };
    const hub = started.use(await Hub.start({ upload }));
    return new Uploading(files, server, hub, started.move());
  }

  write(contents: Record<string, string>, folder = this.files): void {
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder, name), content);
  }

  /** The options of a start that send a file to this place of the server. */
  to(place: string): (request: UploadRequest) => Record<string, string> {
    return (request) => ({ "https.url": `${this.server.url}/${place}/${nameOf(request)}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started.disposeAsync();
  }
}
