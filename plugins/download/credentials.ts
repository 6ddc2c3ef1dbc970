// Who the device is to a server. What the configuration gives for an origin goes to that origin only, also when a
// redirect leads elsewhere.

import type { Config } from "./plugin.types.ts";

export type Authorize = (url: URL) => Promise<string | undefined>;

/** Gives the `Authorization` header for a URL; rejects with SECRET_MISSING. */
export function authorizer(config: Config, secret: (key: string) => Promise<string>): Authorize {
  const byOrigin = new Map(
    (config.credentials ?? []).map((entry, index) => [originOf(entry.origin), { entry, index }]),
  );
  return async (url) => {
    // What the address itself says goes before.
    if (url.username !== "" || url.password !== "") return basic(decoded(url.username), decoded(url.password));
    const found = byOrigin.get(url.origin);
    if (found === undefined) return undefined;
    const { entry, index } = found;
    if (entry.token !== undefined) return `Bearer ${await secret(`credentials.${index}.token`)}`;
    const password = entry.password === undefined ? "" : await secret(`credentials.${index}.password`);
    return basic(entry.username ?? "", password);
  };
}

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

const originOf = (address: string) => URL.parse(address)?.origin ?? address;

// A stray percent sign is allowed in a URL and means itself.
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
