// Recognises messages that come again because their acknowledgement was lost: each becomes one run.

import type { Emission } from "../sdk.ts";
import type { RunsReading } from "../store/store.ts";

/** What a run remembers of the message it came from. */
export interface Origin {
  key: string;
  fingerprint: string;
}

type Accepted = Promise<{ runId: string }>;

export class Deliveries {
  readonly #runs: Pick<RunsReading, "delivery">;
  /** Those whose run is being committed. */
  readonly #accepting = new Map<string, Accepted>();

  constructor(runs: Pick<RunsReading, "delivery">) {
    this.#runs = runs;
  }

  /** Gives the run that the message has become already, or else accepts one. `source` tells triggers apart. */
  async take(
    source: string,
    { key: name, fingerprint, redelivered }: NonNullable<Emission["delivery"]>,
    accept: (origin: Origin) => Accepted,
  ): Accepted {
    const key = `${source}/${name}`;
    const known = this.#runs.delivery(key);
    if (redelivered && known?.fingerprint === fingerprint) return { runId: known.runId };
    const message = `${key}/${fingerprint}`;
    const underway = this.#accepting.get(message);
    if (redelivered && underway !== undefined) return underway;
    const accepted = accept({ key, fingerprint });
    this.#accepting.set(message, accepted);
    return accepted.finally(() => this.#accepting.delete(message));
  }
}
