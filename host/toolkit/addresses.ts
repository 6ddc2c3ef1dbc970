// Addresses of HTTP and HTTPS: which they are, and how they may be shown.

/** Null: it is none of HTTP or HTTPS. Say nothing of its text then: it may hold a password. */
export function parseUrl(address: string): URL | null {
  const url = URL.parse(address);
  return url !== null && ["http:", "https:"].includes(url.protocol) ? url : null;
}

/** A URL as it may be shown: without user, password and query, where signatures stand. */
export function shown(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
