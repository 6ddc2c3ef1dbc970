// A server that sends the first half of a file and then nothing more, until it is told to go on.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface HaltingServer extends AsyncDisposable {
  url: string;
  /** The `Range` of each request; undefined: all of it. */
  ranges: (string | undefined)[];
  /** From now on it sends all that is asked for. */
  goOn(): void;
}

export async function serveHalf(content: Buffer): Promise<HaltingServer> {
  const ranges: (string | undefined)[] = [];
  let isHalting = true;
  const server = createServer((request, response) => {
    const { range } = request.headers;
    ranges.push(range);
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    const headers = { "content-length": content.length - from, "accept-ranges": "bytes", etag: '"one"' };
    if (range === undefined) response.writeHead(200, headers);
    else
      response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${content.length - 1}/${content.length}` });
    if (isHalting) response.write(content.subarray(from, Math.max(from, content.length / 2)));
    else response.end(content.subarray(from));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`,
    ranges,
    goOn() {
      isHalting = false;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
