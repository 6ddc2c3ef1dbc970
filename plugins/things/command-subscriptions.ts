// What this plugin is subscribed to for commands: it follows the device's identity and the things that have features.

import type { Log, Stop } from "gantry";
import type { Message, Mqtt } from "../mqtt/service.ts";
import { commandFilters } from "./command-topics.ts";

export class CommandSubscriptions {
  readonly #mqtt: Pick<Mqtt, "subscribe">;
  readonly #listener: (message: Message) => Promise<void>;
  readonly #forms: { short: boolean };
  readonly #log: Log;
  readonly #stops = new Map<string, Stop>();
  #work: Promise<void> = Promise.resolve();

  constructor(
    mqtt: Pick<Mqtt, "subscribe">,
    listener: (message: Message) => Promise<void>,
    forms: { short: boolean },
    log: Log,
  ) {
    this.#mqtt = mqtt;
    this.#listener = listener;
    this.#forms = forms;
    this.#log = log;
  }

  /** Resolves once there is a subscription for each of these devices (empty: the device itself), and for no others. */
  set(devices: string[]): Promise<void> {
    const wanted = new Set(devices.flatMap((device) => commandFilters(device, this.#forms)));
    this.#work = this.#work
      .then(() => this.#change(wanted))
      .catch((error) => this.#log.error("the subscriptions for commands cannot be changed", { err: error }));
    return this.#work;
  }

  async #change(wanted: Set<string>): Promise<void> {
    for (const filter of wanted) if (!this.#stops.has(filter)) await this.#add(filter);
    for (const [filter, stop] of this.#stops)
      if (!wanted.has(filter)) {
        this.#stops.delete(filter);
        await stop();
      }
  }

  async #add(filter: string): Promise<void> {
    try {
      this.#stops.set(filter, await this.#mqtt.subscribe({ topic: filter, qos: 1 }, this.#listener));
    } catch (error) {
      // A device's name may hold what a topic filter cannot; its commands come by the empty id only.
      this.#log.warn(`no commands come on ${filter}`, { err: error });
    }
  }
}
