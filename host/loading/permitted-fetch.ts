import { GantryError } from "../errors.ts";

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

const maxRedirects = 20;
const credentialHeaders = ["authorization", "cookie", "proxy-authorization"];
const bodyHeaders = ["content-encoding", "content-language", "content-length", "content-location", "content-type"];

/**
 * `fetch` held to the hosts of a manifest's `permissions.network`: `host` (any port), `host:port`, `*.domain` (what lies
 * below it) or `*`. Redirects are followed one by one, so that a permitted host cannot lead elsewhere. Rejects with
 * PERMISSION_DENIED before anything is sent.
 */
export function permittedFetch(plugin: string, hosts: readonly string[]): Fetch {
  const check = (url: URL) => {
    if (isHttp(url) && hosts.some((host) => matches(host, url))) return;
    const permitted = hosts.length === 0 ? "none" : hosts.join(", ");
    const target = isHttp(url) ? url.host : `${url.protocol} addresses`;
    throw new GantryError("PERMISSION_DENIED", `plugin ${plugin} may not talk to ${target} (permitted: ${permitted})`);
  };
  return async (address, init = {}) => {
    let url = new URL(address);
    check(url);
    if (init.redirect === "manual" || init.redirect === "error") return fetch(url, init);
    let request: RequestInit = { ...init, redirect: "manual" };
    for (let redirects = 0; ; redirects++) {
      const response = await fetch(url, request);
      const target = redirectTarget(url, response);
      if (target === undefined) return response;
      await response.body?.cancel();
      check(target);
      if (redirects === maxRedirects)
        throw new TypeError(`${new URL(address).host} redirects more than ${maxRedirects} times`);
      request = redirected(request, response.status, url.origin === target.origin);
      url = target;
    }
  };
}

const isHttp = (url: URL) => url.protocol === "http:" || url.protocol === "https:";

function matches(host: string, url: URL): boolean {
  if (host === "*") return true;
  const wanted = host.toLowerCase();
  if (wanted.startsWith("*.")) return url.hostname.endsWith(wanted.slice(1));
  return (
    wanted === url.hostname || wanted === `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`
  );
}

function redirectTarget(url: URL, response: Response): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(response.status)) return undefined;
  const location = response.headers.get("location");
  return location === null ? undefined : new URL(location, url);
}

// As the fetch standard has it (HTTP-redirect fetch, steps 9 to 13): only GET goes on where a body was posted, and
// credentials do not follow to another origin.
function redirected(request: RequestInit, status: number, sameOrigin: boolean): RequestInit {
  const next: RequestInit = { ...request, headers: new Headers(request.headers) };
  const headers = next.headers as Headers;
  const method = (request.method ?? "GET").toUpperCase();
  const becomesGet =
    (status === 303 && method !== "GET" && method !== "HEAD") ||
    ((status === 301 || status === 302) && method === "POST");
  if (becomesGet) {
    next.method = "GET";
    delete next.body;
    for (const name of bodyHeaders) headers.delete(name);
  } else if (request.body instanceof ReadableStream) {
    throw new TypeError("a redirect asks for the body again, but it was a stream");
  }
  if (!sameOrigin) for (const name of credentialHeaders) headers.delete(name);
  return next;
}
