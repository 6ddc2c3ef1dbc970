// The `on` of every workflow, each started as soon as its plugin is there. A document with faults has its triggers, too,
// as far as they can be read: what would start it is refused with the document's faults, and does not vanish.

import type { BrokenWorkflow, HostContexts, LoadedWorkflow } from "./engine/workflow.ts";
import { GantryError } from "./errors.ts";
import { compile, evaluate } from "./expressions/index.ts";
import type { ActivePlugins } from "./loading/activate.ts";
import type { HostLog } from "./log.ts";
import type { Emission, Emit, Json, JsonObject, Stop } from "./sdk.ts";

export interface TriggerSurroundings {
  accept(workflow: LoadedWorkflow, emission: Emission, source: string, trigger: string): Promise<{ runId: string }>;
  plugins: Pick<ActivePlugins, "hasTrigger" | "startTrigger" | "onAvailable">;
  contexts: HostContexts;
  log: HostLog;
}

interface Waiting {
  workflow: string;
  index: number;
  trigger: string;
  settings: Json;
  inputs: JsonObject | undefined;
  emit: Emit;
}

export class RunningTriggers {
  readonly #surroundings: TriggerSurroundings;
  readonly #waiting: Waiting[];
  readonly #stops: Stop[] = [];
  #stopped = false;

  constructor(workflows: LoadedWorkflow[], broken: BrokenWorkflow[], surroundings: TriggerSurroundings) {
    const { accept, plugins } = surroundings;
    this.#surroundings = surroundings;
    this.#waiting = [
      ...workflows.flatMap((workflow) =>
        waitingOf(
          workflow.name,
          workflow.document.on,
          workflow.document.inputs as JsonObject | undefined,
          (source, trigger) => (emission) => accept(workflow, emission, source, trigger),
        ),
      ),
      ...broken.flatMap((workflow) => waitingOf(workflow.name, workflow.on, undefined, () => () => refuse(workflow))),
    ];
    plugins.onAvailable(() => void this.start());
  }

  async start(): Promise<void> {
    const { plugins, log } = this.#surroundings;
    for (const entry of [...this.#waiting]) {
      if (this.#stopped || !plugins.hasTrigger(entry.trigger)) continue;
      this.#waiting.splice(this.#waiting.indexOf(entry), 1);
      try {
        this.#stops.push(await this.#startOne(entry));
      } catch (error) {
        const { workflow, trigger } = entry;
        log.error("trigger cannot start", { workflow, trigger, err: error });
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const stop of this.#stops.reverse()) await stop();
  }

  #startOne({ workflow, index, trigger, settings, inputs, emit }: Waiting): Promise<Stop> {
    const { plugins, contexts, log } = this.#surroundings;
    const options = evaluate(compile(settings), { ...contexts } as Record<string, Json>);
    return plugins.startTrigger(trigger, options, emit, {
      workflow,
      index,
      ...(inputs === undefined ? {} : { inputs }),
      log: log.child({ workflow }),
    });
  }
}

function waitingOf(
  workflow: string,
  on: BrokenWorkflow["on"] = [],
  inputs: JsonObject | undefined,
  emitOf: (source: string, trigger: string) => Emit,
): Waiting[] {
  return on.map(({ trigger, with: settings = {} }, index) => {
    const emit = emitOf(`${workflow}#${index}`, trigger);
    return { workflow, index, trigger, settings: settings as Json, inputs, emit };
  });
}

async function refuse({ name, file, faults }: BrokenWorkflow): Promise<never> {
  const more = faults.length > 1 ? ` and ${faults.length - 1} more` : "";
  throw new GantryError("WORKFLOW_BROKEN", `${name} has faults: ${file}:${faults[0]}${more}`, {
    details: { file, faults },
  });
}
