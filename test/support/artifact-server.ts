// An HTTP server that offers files and counts what it is asked for.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface ArtifactServer extends AsyncDisposable {
  url: string;
  /** How often each file was asked for. */
  requests: Map<string, number>;
}

export async function serveArtifacts(files: Record<string, string | Buffer>): Promise<ArtifactServer> {
  const requests = new Map<string, number>();
  const server = createServer((request, response) => {
    const name = decodeURIComponent(request.url!.slice(1));
    requests.set(name, (requests.get(name) ?? 0) + 1);
    const content = Object.hasOwn(files, name) ? Buffer.from(files[name]!) : undefined;
    if (content === undefined) response.writeHead(404).end("no such file");
    else response.writeHead(200, { "content-length": content.length }).end(content);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");
