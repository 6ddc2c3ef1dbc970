// A file of 1 GiB behind a link of limited speed that breaks. The link is no faster than its reader, so that what is on
// the way when it breaks is little, as it is outside of one machine.

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { serve, type TestServer } from "./server.ts";

const blockBytes = 1 << 20;

export interface Link extends TestServer {
  sizeBytes: number;
  sha256: string;
  /** Of bodies, all together, as handed to the sockets. */
  sentBytes: number;
}

/** Each block is sent when the pause is over; the link breaks when `breaksAt` of all sent bytes is reached. */
export async function serveLink(sizeBytes: number, breaksAt: number[], pauseMs: number): Promise<Link> {
  const block = randomBytes(blockBytes);
  const hash = createHash("sha256");
  for (let at = 0; at < sizeBytes; at += blockBytes) hash.update(block);
  const state = { sizeBytes, sha256: hash.digest("hex"), sentBytes: 0 };
  const breaks = [...breaksAt];
  const send = async (response: ServerResponse, begin: number) => {
    const gone = once(response, "close");
    for (let at = begin; at < sizeBytes && !response.destroyed; ) {
      const inBlock = at % blockBytes;
      const part = block.subarray(inBlock, Math.min(blockBytes, inBlock + sizeBytes - at));
      at += part.length;
      state.sentBytes += part.length;
      await Promise.race([gone, new Promise((written) => response.write(part, written))]);
      if (breaks.length > 0 && state.sentBytes >= breaks[0]!) {
        breaks.shift();
        response.destroy();
      }
      await sleep(pauseMs);
    }
    response.end();
  };
  const server = await serve((request, response) => {
    const begin = Number(request.headers.range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0);
    const range = begin === 0 ? {} : { "content-range": `bytes ${begin}-${sizeBytes - 1}/${sizeBytes}` };
    response.writeHead(begin === 0 ? 200 : 206, { etag: '"one"', "content-length": sizeBytes - begin, ...range });
    void send(response, begin);
  });
  return Object.assign(state, server);
}
