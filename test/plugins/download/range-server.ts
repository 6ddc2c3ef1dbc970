// A server that gives parts of one file, and may cut the connection on the way.

import type { IncomingMessage, ServerResponse } from "node:http";
import { serve, type TestServer } from "./server.ts";

export interface RangeServer extends TestServer {
  /** May be replaced between two requests. */
  content: Buffer;
  headers: Record<string, string>;
  /** For each request to come: after how many bytes of its body the connection ends; nothing: never. */
  cuts: number[];
  /** How a request for a part is answered; `undefined`: with the whole. */
  answerRange: (begin: number, request: IncomingMessage) => Partial<RangeAnswer> | undefined;
  /** Of bodies, all together. */
  sentBytes: number;
}

interface RangeAnswer {
  status: number;
  contentRange: string;
  begin: number;
}

/** With `ETag` and If-Range, as a good server does; all can be changed. */
export async function serveRanges(content: Buffer, headers: Record<string, string> = {}): Promise<RangeServer> {
  const state: Omit<RangeServer, keyof TestServer> = {
    content,
    headers: { etag: '"one"', ...headers },
    cuts: [],
    answerRange: (_, request) => (ifRangeHolds(request, state.headers) ? {} : undefined),
    sentBytes: 0,
  };
  const server = await serve((request, response) => {
    const asked = request.headers.range?.match(/^bytes=(\d+)-$/)?.[1];
    const answer = asked === undefined ? undefined : state.answerRange(Number(asked), request);
    if (answer === undefined) return send(response, 200, {}, state.content);
    const { status = 206, begin = Number(asked) } = answer;
    const total = state.content.length;
    const range = answer.contentRange ?? `bytes ${begin}-${total - 1}/${total}`;
    send(
      response,
      status,
      { "content-range": range },
      status === 206 ? state.content.subarray(begin) : Buffer.alloc(0),
    );
  });
  return Object.assign(state, server);

  function send(response: ServerResponse, status: number, more: Record<string, string>, body: Buffer): void {
    const cut = state.cuts.shift() ?? Number.POSITIVE_INFINITY;
    const given = body.subarray(0, cut);
    response.writeHead(status, { ...state.headers, ...more, "content-length": body.length });
    state.sentBytes += given.length;
    if (given.length < body.length) response.write(given, () => response.socket!.end());
    else response.end(given);
  }
}

function ifRangeHolds({ headers }: IncomingMessage, { etag, "last-modified": lastModified }: Record<string, string>) {
  const wanted = headers["if-range"];
  return wanted === undefined || wanted === etag || wanted === lastModified;
}
