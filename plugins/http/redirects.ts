// Follows redirects within bounds. What a redirect leads to is asked as if it stood in `url`: the host must be allowed,
// credentials are those configured for it, and headers that may hold secrets stay with the first server.

import type { OutgoingHttpHeaders } from "node:http";
import { PluginError } from "gantry";
import { shown } from "gantry/toolkit/addresses";
import type { Authorize } from "gantry/toolkit/credentials";
import { checkAllowed } from "./addresses.ts";
import { type Answer, exchange, type Sending } from "./exchange.ts";

const redirectStatuses = [301, 302, 303, 307, 308];
const confidential = ["authorization", "cookie", "proxy-authorization"];
/** Of a body that is not sent any more. */
const aboutBody = ["content-type", "content-encoding", "content-language", "content-location"];

export interface Following extends Sending {
  authorize: Authorize;
  allowedHosts: string[] | undefined;
  maxRedirects: number;
}

/** The first answer that is not followed. Rejects with a coded failure or the signal's reason. */
export async function follow(start: URL, following: Following): Promise<Answer> {
  let url = start;
  let sending: Sending = following;
  for (let redirects = 0; ; redirects++) {
    checkAllowed(url, following.allowedHosts);
    const authorization = await following.authorize(url);
    const headers = authorization === undefined ? sending.headers : { ...sending.headers, authorization };
    const answer = await exchange(url, { ...sending, headers });
    if (following.maxRedirects === 0 || !redirectStatuses.includes(answer.status)) return answer;
    if (redirects === following.maxRedirects)
      throw new PluginError("HTTP_REDIRECT_LOOP", `${shown(url)} redirects after ${redirects} redirects again`);
    const to = targetOf(url, answer.headers.location);
    sending = redirected(sending, answer.status, to.origin === url.origin);
    url = to;
  }
}

/** Throws HTTP_REDIRECT_REFUSED. */
function targetOf(from: URL, location: string | undefined): URL {
  const refuse = (why: string) => new PluginError("HTTP_REDIRECT_REFUSED", `${shown(from)}: ${why}`);
  const to = location === undefined ? null : URL.parse(location, from.href);
  if (to === null || !["http:", "https:"].includes(to.protocol)) throw refuse("a redirect leads nowhere");
  if (from.protocol === "https:" && to.protocol === "http:") throw refuse("a redirect leads from HTTPS to HTTP");
  return to;
}

/** As browsers do: 303 is a GET, so is what comes of a POST with 301 or 302, all else stays what it is. */
function redirected(sending: Sending, status: number, isSameOrigin: boolean): Sending {
  const { method } = sending;
  const becomesGet = (status === 303 && method !== "HEAD") || (status <= 302 && method === "POST");
  const dropped = [...(isSameOrigin ? [] : confidential), ...(becomesGet ? aboutBody : [])];
  const kept = Object.entries(sending.headers).filter(([name]) => !dropped.includes(name));
  const headers: OutgoingHttpHeaders = Object.fromEntries(kept);
  return becomesGet ? { ...sending, method: "GET", body: undefined, headers } : { ...sending, headers };
}
