// Who the device is to a server. What the configuration gives for an origin goes to that origin only, also when a
// redirect leads elsewhere.

/** An item of `credentials` in a plugin's configuration; `password` and `token` are secrets. */
export interface Credential {
  /** Such as https://files.example:8443. */
  origin: string;
  username?: string;
  password?: unknown;
  token?: unknown;
}

export type Authorize = (url: URL) => Promise<string | undefined>;

/**
 * Gives the `Authorization` header for a URL. `secret` is that of the step's context: a secret is asked for by its place
 * in the configuration, as `credentials.0.token`; what it rejects with is passed on (SECRET_MISSING).
 */
export function authorizer(
  { credentials = [] }: { credentials?: readonly Credential[] },
  secret: (key: string) => Promise<string>,
): Authorize {
  const byOrigin = new Map(credentials.map((entry, index) => [originOf(entry.origin), { entry, index }]));
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
