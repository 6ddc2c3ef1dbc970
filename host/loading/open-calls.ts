// The calls into one start of a plugin, counted, so that it can be replaced while it is used: those under way may end,
// and what does not end in time is told to, and begins again with the plugin that takes its place.

import { StepDisplaced } from "../engine/workflow.ts";
import { GantryError } from "../errors.ts";
import type { Contributions, Emit, Json, Outcome, Service, Step, StepContext, Trigger } from "../sdk.ts";
import { PluginStopped } from "./in-process.ts";

export interface Patience {
  /** How long calls under way may go on. */
  drainMs: number;
  /** How long they may go on after they were told to end. */
  graceMs: number;
}

export class OpenCalls {
  /** Of the steps under way, to tell them to end. */
  readonly #controllers = new Set<AbortController>();
  readonly #underWay = new Counter();
  /** Calls of services, emissions and answers. */
  readonly #others = new Counter();
  #isRetired = false;
  #displaced = 0;

  /** What the plugin contributes, with every call counted. */
  counted({ steps, triggers, services, ...rest }: Contributions): Contributions {
    return {
      ...rest,
      ...(steps && { steps: mapValues(steps, (step) => this.#step(step)) }),
      ...(triggers && { triggers: mapValues(triggers, (trigger) => this.#trigger(trigger)) }),
      ...(services && { services: mapValues(services, (service) => this.#service(service)) }),
    };
  }

  /**
   * Lets no further step begin. Resolves when none is under way any more, or they have not ended within their time, even
   * when told to.
   */
  async retire({ drainMs, graceMs }: Patience): Promise<void> {
    this.#isRetired = true;
    await this.#underWay.none(drainMs);
    const reason = new GantryError("PLUGIN_UNAVAILABLE", "the plugin is being replaced");
    for (const controller of this.#controllers) controller.abort(reason);
    await this.#underWay.none(graceMs);
  }

  /** Resolves when nothing else is under way, or that time is over. */
  async quiet({ graceMs }: Patience): Promise<void> {
    await this.#others.none(graceMs);
  }

  /** After the end of what they were made to: how many steps begin again with the plugin that takes its place. */
  async displaced({ graceMs }: Patience): Promise<number> {
    await this.#underWay.none(graceMs);
    return this.#displaced;
  }

  /** Ends the waiting. */
  hurry(): void {
    this.#underWay.hurry();
    this.#others.hurry();
  }

  #step(step: Step): Step {
    const verbs = (["run", "check"] as const).filter((verb) => typeof step[verb] === "function");
    const carry = (verb: "run" | "check") => async (input: never, context: StepContext) => {
      if (this.#isRetired) throw this.#displace();
      using ending = this.#endingOf(context);
      try {
        return (await this.#underWay.during(() => step[verb]!(input, ending.context))) as never;
      } catch (error) {
        const wasEnded = error instanceof PluginStopped || ending.wasTold();
        throw this.#isRetired && wasEnded ? this.#displace(error) : error;
      }
    };
    return {
      ...Object.fromEntries(verbs.map((verb) => [verb, carry(verb)])),
      ...(typeof step.plan === "function" && {
        plan: (input: never, context: StepContext) => step.plan!(input, context),
      }),
    } as unknown as Step;
  }

  #trigger(trigger: Trigger): Trigger {
    const { answer } = trigger;
    return {
      start: (options, emit, context) => {
        const counted: Emit = (emission) => this.#others.during(() => emit(emission));
        return trigger.start(options, counted, context);
      },
      ...(typeof answer === "function" && {
        answer: (to: Json, outcome: Outcome, key: string) =>
          this.#others.during(() => trigger.answer!(to, outcome, key)),
      }),
    };
  }

  // It may be an instance of a class, whose methods are no members of its own.
  #service(service: Service): Service {
    return new Proxy(service, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => this.#others.during(() => member.apply(target, args) as unknown);
      },
    });
  }

  /** The same context, whose signal also says that the plugin is being replaced. */
  #endingOf(context: StepContext | undefined): { context: StepContext; wasTold(): boolean } & Disposable {
    // A step that is called by hand may have none.
    const signal = context?.signal ?? new AbortController().signal;
    const controller = new AbortController();
    const onAbort = () => controller.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#controllers.add(controller);
    // Members that are made when they are first asked for stay so.
    const members = Object.getOwnPropertyDescriptors(context ?? {});
    return {
      context: Object.defineProperties({} as StepContext, {
        ...members,
        signal: { value: controller.signal, enumerable: true },
      }),
      wasTold: () => controller.signal.aborted && !signal.aborted,
      [Symbol.dispose]: () => {
        signal.removeEventListener("abort", onAbort);
        this.#controllers.delete(controller);
      },
    };
  }

  #displace(cause?: unknown): StepDisplaced {
    this.#displaced += 1;
    return new StepDisplaced(cause);
  }
}

class Counter {
  #count = 0;
  #onNone: (() => void) | undefined;

  async during<Value>(call: () => Promise<Value> | Value): Promise<Value> {
    this.#count += 1;
    try {
      return await call();
    } finally {
      this.#count -= 1;
      if (this.#count === 0) this.#onNone?.();
    }
  }

  async none(withinMs: number): Promise<void> {
    if (this.#count === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onNone = resolve;
    const timer = setTimeout(resolve, withinMs);
    await promise;
    clearTimeout(timer);
    this.#onNone = undefined;
  }

  hurry(): void {
    this.#onNone?.();
  }
}

function mapValues<Value>(given: Record<string, Value>, change: (value: Value) => Value): Record<string, Value> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, change(value)]));
}
