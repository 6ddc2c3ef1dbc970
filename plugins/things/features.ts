// The features of this host: announced, reported about, and sending messages of their own.

import type { JsonObject } from "gantry";
import { thingOf } from "./entries.ts";
import { checkAddress, keyOf } from "./feature-address.ts";
import type { DeviceIdentities } from "./identity.ts";
import type { Lanes } from "./lanes.ts";
import type { FeatureAddress, OutboxMessage, Registration, Report } from "./service.ts";

export class Features {
  readonly #lanes: Lanes;
  readonly #identities: DeviceIdentities;
  readonly registrations = new Map<string, Registration>();
  readonly #listeners = new Set<() => void>();

  constructor(lanes: Lanes, identities: DeviceIdentities) {
    this.#lanes = lanes;
    this.#identities = identities;
  }

  /** Called when there are more features, or fewer. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  async register(registration: Registration): Promise<void> {
    checkAddress(registration);
    this.registrations.set(keyOf(registration), registration);
    this.#changed();
    const { definition, properties } = registration;
    await this.#lanes.announce(registration, { definition, properties });
  }

  async unregister({ remove = false, ...address }: FeatureAddress & { remove?: boolean }): Promise<void> {
    checkAddress(address);
    this.registrations.delete(keyOf(address));
    this.#changed();
    await this.#lanes.announce(address, undefined);
    if (remove) await this.#lanes.of(address).put({ kind: "delete" });
  }

  async report({ path, value, sendNull, headers, intermediate = false, key, ...address }: Report & { key?: string }) {
    checkAddress(address);
    const more = { ...(sendNull === undefined ? {} : { sendNull }), ...(headers === undefined ? {} : { headers }) };
    await this.#lanes.of(address).put({ kind: "modify", path, value, ...more }, { key, intermediate });
  }

  async send({ key, waitForRoom = false, ...message }: OutboxMessage & { key?: string }): Promise<void> {
    const { thing, feature, subject, value, correlationId, responseRequired = false, replyTo, headers } = message;
    const address = { ...(thing === undefined ? {} : { thing }), feature };
    checkAddress(address);
    const more: { correlationId?: string; replyTo?: boolean; headers?: JsonObject } = {
      ...(correlationId === undefined ? {} : { correlationId }),
      ...(replyTo === undefined ? {} : { replyTo }),
      ...(headers === undefined ? {} : { headers }),
    };
    const lane = this.#lanes.of(address);
    await lane.put({ kind: "message", subject, value, responseRequired, ...more }, { key, waitForRoom });
  }

  /** Ids of the things these features belong to, but for the device's own. */
  otherThings(addresses: FeatureAddress[]): string[] {
    const identity = this.#identities.probable;
    if (identity === undefined) return [];
    const things = [...this.registrations.values(), ...addresses].filter(({ thing }) => thing !== undefined);
    return things.map((address) => thingOf(address, identity));
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
