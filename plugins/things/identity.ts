// Who the device is: asked for once per connection, heard of from a connector, or given by plugins.json.

import type { DeviceIdentity, Json, JsonObject, KeyValue, Log } from "gantry";
import type { Identity } from "./service.ts";
import { isThingId } from "./thing-id.ts";

export const requestTopic = "edge/thing/request";
export const responseTopic = "edge/thing/response";

const storeKey = "identity";

export class DeviceIdentities {
  readonly #keyValue: KeyValue;
  readonly #log: Log;
  readonly #listeners = new Set<(identity: Identity) => void>();
  #current: Identity | undefined;
  #remembered: Identity | undefined;
  /** What this host answers to those that ask; nothing where somebody else answers. */
  #own: Identity | undefined;

  constructor(keyValue: KeyValue, log: Log) {
    this.#keyValue = keyValue;
    this.#log = log;
  }

  /** Reads what an earlier life knew; `device` is the identity of plugins.json. */
  async open(device: DeviceIdentity | undefined): Promise<void> {
    this.#remembered = readIdentity((await this.#keyValue.get(storeKey)) ?? null);
    if (device === undefined) return;
    const own = readIdentity({ ...device });
    if (own === undefined)
      this.#log.error(`the device id of plugins.json is none: ${device.deviceId}`, { code: "THINGS_IDENTITY_INVALID" });
    else this.#provide(own);
  }

  get current(): Identity | undefined {
    return this.#current;
  }

  /** The last one of an earlier life, until there is one in this: commands for it may be waiting at the broker. */
  get probable(): Identity | undefined {
    return this.#current ?? this.#remembered;
  }

  /** The payload for `edge/thing/response`, where it is for this host to answer. */
  get response(): string | undefined {
    if (this.#own === undefined) return undefined;
    const { deviceId, tenantId, policyId } = this.#own;
    return JSON.stringify({ deviceId, tenantId, ...(policyId === "" ? {} : { policyId }) });
  }

  /** Calls back for each new identity; returns the end of that. */
  onChange(listener: (identity: Identity) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A connector of this host gives the identity, or takes it back: then nobody here answers. */
  provide(identity: Identity | null): void {
    this.#own = undefined;
    if (identity !== null) this.#provide(identity);
  }

  /** A message on `edge/thing/response`. What is no identity is logged and changes nothing. */
  heard(payload: string | undefined): void {
    const identity = readIdentity(parse(payload));
    if (identity === undefined) {
      const text = "a message on edge/thing/response is no identity";
      this.#log.warn(text, { code: "THINGS_IDENTITY_INVALID", payload: payload?.slice(0, 500) });
      return;
    }
    if (isSame(identity, this.#own)) return;
    if (this.#own !== undefined) {
      this.#log.info("a connector gives the device another identity; this host no longer answers for it");
      this.#own = undefined;
    }
    this.#take(identity);
  }

  #provide(identity: Identity): void {
    this.#own = identity;
    this.#take(identity);
  }

  #take(identity: Identity): void {
    if (isSame(identity, this.#current)) return;
    this.#log.info(`the device is ${identity.deviceId}`, { ...identity });
    this.#current = identity;
    this.#keyValue
      .set(storeKey, { ...identity })
      .catch((error) => this.#log.warn("the identity cannot be kept", { err: error }));
    for (const listener of this.#listeners) listener(identity);
  }
}

/** Member names are read whatever their case; `undefined` for what is no identity. */
function readIdentity(value: Json): Identity | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const members = Object.fromEntries(
    Object.entries(value as JsonObject).map(([name, member]) => [name.toLowerCase(), member]),
  );
  const { deviceid: deviceId, tenantid: tenantId, policyid: policyId } = members;
  if (typeof deviceId !== "string" || !isThingId(deviceId) || !isText(tenantId) || !isText(policyId)) return undefined;
  return { deviceId, tenantId: tenantId ?? "", policyId: policyId ?? "" };
}

function isText(value: Json | undefined): value is string | null | undefined {
  return value === undefined || value === null || typeof value === "string";
}

function parse(payload: string | undefined): Json {
  try {
    return JSON.parse(payload ?? "null") as Json;
  } catch {
    return null;
  }
}

function isSame(one: Identity, other: Identity | undefined): boolean {
  return one.deviceId === other?.deviceId && one.tenantId === other.tenantId && one.policyId === other.policyId;
}
