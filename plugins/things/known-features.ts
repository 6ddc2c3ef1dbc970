// What is known of features by those who register them and those who take their commands.

import { type Rules, rulesOf } from "./answers.ts";
import { thingOf } from "./entries.ts";
import { addressOf, keyOf } from "./feature-address.ts";
import type { Handler, Handlers } from "./handlers.ts";
import type { FeatureAddress, Identity, Refusal, Registration } from "./service.ts";

export class KnownFeatures {
  readonly #registrations: ReadonlyMap<string, Registration>;
  readonly #handlers: Handlers;

  constructor(registrations: ReadonlyMap<string, Registration>, handlers: Handlers) {
    this.#registrations = registrations;
    this.#handlers = handlers;
  }

  /** As what this plugin knows a feature of a command; undefined where it does not. */
  find(thing: string, feature: string, identity: Identity): FeatureAddress | undefined {
    const known: FeatureAddress[] = [
      ...this.#registrations.values(),
      ...this.#handlers.all(),
      ...this.#handlers.awaited().map((name) => addressOf(name)),
    ];
    const found = known.find((one) => one.feature === feature && thingOf(one, identity) === thing);
    return found === undefined ? undefined : { ...(found.thing === undefined ? {} : { thing: found.thing }), feature };
  }

  /** Those of who takes the command, of the feature, and of others that take commands of it, in this order. */
  rules(address: FeatureAddress, taking: Handler | undefined): Rules {
    return rulesOf(taking?.rules, this.#registrations.get(keyOf(address)), this.#handlersOf(address)[0]?.rules);
  }

  unknownOperation(address: FeatureAddress): Refusal | undefined {
    const given = [this.#registrations.get(keyOf(address)), ...this.#handlersOf(address)];
    return given.map((one) => one?.unknownOperation ?? undefined).find((refusal) => refusal !== undefined);
  }

  /** What a thing answers to commands for features that it does not have, if one of its features says so. */
  unknownFeature(thing: string, identity: Identity): { refusal: Refusal; rules: Rules } | undefined {
    const isOfThing = (one: FeatureAddress) => thingOf(one, identity) === thing;
    const given = [
      ...[...this.#registrations.values()].map((one) => ({ one, rules: rulesOf(one) })),
      ...this.#handlers.all().map((one) => ({ one, rules: rulesOf(one.rules) })),
    ];
    const found = given.find(({ one }) => isOfThing(one) && (one.unknownFeature ?? null) !== null);
    return found === undefined ? undefined : { refusal: found.one.unknownFeature!, rules: found.rules };
  }

  #handlersOf(address: FeatureAddress): Handler[] {
    return this.#handlers.all().filter((handler) => keyOf(handler) === keyOf(address));
  }
}
