// A server that sends the first half of a file and then nothing more, until it is told to go on.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface HaltingServer extends AsyncDisposable {
  url: string;
  /** The `Range` of each request; undefined: all of it. */
  ranges: (string | undefined)[];
  /** From now on it sends all that is asked for, and what it still owes to whoever waits for it. */
  goOn(): void;
}

export async function serveHalf(content: Buffer): Promise<HaltingServer> {
  const ranges: (string | undefined)[] = [];
  let isHalting = true;
  const owed: (() => void)[] = [];
  const server = createServer((request, response) => {
    const { range } = request.headers;
    ranges.push(range);
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    const headers = { "content-length": content.length - from, "accept-ranges": "bytes", etag: '"one"' };
    if (range === undefined) response.writeHead(200, headers);
    else
      response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${content.length - 1}/${content.length}` });
    if (!isHalting) return void response.end(content.subarray(from));
    const half = Math.max(from, content.length / 2);
    response.write(content.subarray(from, half));
    owed.push(() => response.end(content.subarray(half)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`,
    ranges,
    goOn() {
      isHalting = false;
      for (const send of owed.splice(0)) send();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
