// The HTTP server of examples: GET and HEAD give the example's files, everything else is read and answered with how much
// there was.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface ExampleServer extends AsyncDisposable {
  /** Below it each example has a path of its own: `ADDRESS/NUMBER/FILE`. */
  readonly address: string;
}

export async function serveExamples(
  filesOf: (example: number) => Readonly<Record<string, string>>,
): Promise<ExampleServer> {
  const server = createServer(async (request, response) => {
    const [, example = "", ...path] = decodeURIComponent(request.url!.split("?")[0]!).split("/");
    const files = filesOf(Number(example));
    const name = path.join("/");
    let bytes = 0;
    for await (const chunk of request) bytes += (chunk as Buffer).length;
    if (request.method !== "GET" && request.method !== "HEAD") {
      const status = request.method === "PUT" ? 201 : 200;
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ bytes }));
    } else if (Object.hasOwn(files, name)) {
      const content = Buffer.from(files[name]!);
      response.writeHead(200, { "content-type": "text/plain", "content-length": content.length });
      response.end(request.method === "GET" ? content : undefined);
    } else response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
