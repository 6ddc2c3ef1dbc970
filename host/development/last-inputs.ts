import type { EventEmitter } from "node:events";
import type { EngineEvents } from "../engine/events.ts";
import type { RecordData } from "../engine/records.ts";
import type { Json } from "../sdk.ts";
import type { StoreReader } from "../store/store.ts";

/** A step with what it was given last. */
export interface GivenStep {
  uses: string;
  input: Json;
}

/** Which step of each plugin ran last, and with what. */
export class LastInputs {
  readonly #places = new Map<string, { uses: string; run: string; path: string }>();

  follow(engine: EventEmitter<EngineEvents>): void {
    engine.on("step", ({ uses, run, path, status }) => {
      if (status === "running") this.#places.set(uses.split("/")[0]!, { uses, run, path });
    });
  }

  /** `undefined` where no step of the plugin has run since, or its run is no longer there. */
  of(plugin: string, runs: StoreReader["runs"]): GivenStep | undefined {
    const place = this.#places.get(plugin);
    if (place === undefined) return undefined;
    const { uses, run, path } = place;
    const begun = runs.journal(run).findLast((record) => record.kind === "running" && record.path === path);
    return begun && { uses, input: (begun.data as unknown as RecordData["running"]).input };
  }
}
