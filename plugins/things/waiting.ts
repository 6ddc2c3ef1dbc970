// Messages that wait until something is known that decides about them.

import { type Log, PluginError } from "gantry";
import type { Message } from "../mqtt/service.ts";

/** Messages with QoS 0 that wait at most: nobody else bounds them. */
const maxQos0 = 1000;

export class Waiting {
  readonly #log: Log;
  readonly #stopping = new AbortController();
  readonly #looks = new Set<() => void>();
  #qos0 = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Something has changed: all that wait look again. */
  lookAgain = (): void => {
    const looks = [...this.#looks];
    this.#looks.clear();
    for (const look of looks) look();
  };

  /** Rejects with HOST_STOPPING once it is closed. */
  throwIfClosed(): void {
    this.#stopping.signal.throwIfAborted();
  }

  /** Resolves with true once it holds; with false where the message is let go. Rejects with HOST_STOPPING. */
  async until(holds: () => boolean, { qos, topic }: Message): Promise<boolean> {
    if (qos === 0 && this.#qos0 >= maxQos0) {
      this.#log.warn("a command is dropped: too many wait", { code: "THINGS_COMMAND_REFUSED", topic });
      return false;
    }
    if (qos === 0) this.#qos0 += 1;
    try {
      while (!holds()) {
        this.throwIfClosed();
        await new Promise<void>((resolve) => this.#looks.add(resolve));
      }
      return true;
    } finally {
      if (qos === 0) this.#qos0 -= 1;
    }
  }

  close(): void {
    this.#stopping.abort(new PluginError("HOST_STOPPING", "the host is stopping"));
    this.lookAgain();
  }
}
