// The `on` of every workflow, each started as soon as its plugin is there. A document with faults has its triggers, too,
// as far as they can be read: what would start it is refused with the document's faults, and does not vanish.

import type { BrokenWorkflow, HostContexts, LoadedWorkflow } from "./engine/workflow.ts";
import { GantryError } from "./errors.ts";
import { compile, evaluate } from "./expressions/index.ts";
import type { ActivePlugins } from "./loading/active-plugins.ts";
import type { HostLog } from "./log.ts";
import type { Emission, Emit, Json, JsonObject, Stop } from "./sdk.ts";

export interface TriggerSurroundings {
  accept(workflow: LoadedWorkflow, emission: Emission, source: string, trigger: string): Promise<{ runId: string }>;
  plugins: Pick<ActivePlugins, "hasTrigger" | "startTrigger" | "onAvailable">;
  contexts: () => HostContexts;
  log: HostLog;
}

type Target = LoadedWorkflow | BrokenWorkflow;

/** One entry of a workflow's `on`. */
interface Place {
  /** What it starts; another one once the document has changed. */
  target: Target;
  index: number;
  trigger: string;
  settings: Json;
  inputs: JsonObject | undefined;
}

interface Standing extends Place {
  /** Undefined while its plugin is not there. */
  stop?: Stop;
  /** It could not start. */
  failed?: true;
}

export class RunningTriggers {
  readonly #surroundings: TriggerSurroundings;
  /** By what makes one the same as before, see `keyOf`; in the order of their start. */
  readonly #triggers = new Map<string, Standing>();
  #stopped = false;

  constructor(workflows: LoadedWorkflow[], broken: BrokenWorkflow[], surroundings: TriggerSurroundings) {
    this.#surroundings = surroundings;
    this.#take(workflows, broken);
    surroundings.plugins.onAvailable((plugin) => {
      // Another start of the plugin may bring what was missing.
      for (const entry of this.#triggers.values())
        if (entry.failed && entry.trigger.startsWith(`${plugin}/`)) delete entry.failed;
      void this.start();
    });
  }

  async start(): Promise<void> {
    const { plugins, log } = this.#surroundings;
    for (const [key, entry] of this.#triggers) {
      if (this.#stopped || entry.stop !== undefined || entry.failed || !plugins.hasTrigger(entry.trigger)) continue;
      // Until it has started, so that it is not started twice.
      entry.stop = () => {};
      try {
        const stop = await this.#startOne(entry);
        if (this.#triggers.get(key) === entry && !this.#stopped) entry.stop = stop;
        else await stop();
      } catch (error) {
        delete entry.stop;
        entry.failed = true;
        log.error("trigger cannot start", { workflow: entry.target.name, trigger: entry.trigger, err: error });
      }
    }
  }

  /** Goes on with other documents: what starts a workflow as before stands all the time. */
  async update(workflows: LoadedWorkflow[], broken: BrokenWorkflow[]): Promise<void> {
    for (const { stop } of this.#take(workflows, broken)) await stop?.();
    await this.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { stop } of [...this.#triggers.values()].reverse()) await stop?.();
  }

  /** Gives those that are no more. */
  #take(workflows: LoadedWorkflow[], broken: BrokenWorkflow[]): Standing[] {
    const places = [
      ...broken.flatMap((target) => placesOf(target, target.on)),
      ...workflows.flatMap((target) => placesOf(target, target.document.on, target.document.inputs as JsonObject)),
    ];
    const found = new Map(places.map((place) => [keyOf(place), place]));
    const gone = [...this.#triggers].filter(([key]) => !found.has(key));
    for (const [key] of gone) this.#triggers.delete(key);
    for (const [key, place] of found) {
      const standing = this.#triggers.get(key);
      if (standing === undefined) this.#triggers.set(key, place);
      else standing.target = place.target;
    }
    return gone.map(([, standing]) => standing);
  }

  #startOne(place: Place): Promise<Stop> {
    const { plugins, contexts, log } = this.#surroundings;
    const { index, trigger, settings, inputs } = place;
    const workflow = place.target.name;
    const options = evaluate(compile(settings), { ...contexts() } as Record<string, Json>);
    return plugins.startTrigger(trigger, options, this.#emitOf(place), {
      workflow,
      index,
      ...(inputs === undefined ? {} : { inputs }),
      log: log.child({ workflow }),
    });
  }

  #emitOf(place: Place): Emit {
    return async (emission) => {
      const { target, index, trigger } = place;
      if ("faults" in target) return refuse(target);
      return this.#surroundings.accept(target, emission, `${target.name}#${index}`, trigger);
    };
  }
}

function placesOf(target: Target, on: BrokenWorkflow["on"] = [], inputs?: JsonObject): Place[] {
  return on.map(({ trigger, with: settings = {} }, index) => ({
    target,
    index,
    trigger,
    settings: settings as Json,
    inputs,
  }));
}

const keyOf = ({ target, index, trigger, settings, inputs }: Place) =>
  JSON.stringify([target.name, index, trigger, settings, inputs ?? null]);

async function refuse({ name, file, faults }: BrokenWorkflow): Promise<never> {
  const more = faults.length > 1 ? ` and ${faults.length - 1} more` : "";
  throw new GantryError("WORKFLOW_BROKEN", `${name} has faults: ${file}:${faults[0]}${more}`, {
    details: { file, faults },
  });
}
