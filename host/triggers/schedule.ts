// The trigger host/schedule: what is due is decided by times.ts; here are the clock, the store and the waiting.

import type { ScheduleOptions } from "../builtin/plugin.types.ts";
import type { Clock } from "../clock.ts";
import { cronTimes } from "../cron.ts";
import { parseDuration } from "../duration.ts";
import type { Emit, Json, KeyValue, Log, Trigger } from "../sdk.ts";
import { Backoff, handOver } from "./hand-over.ts";
import { pause } from "./pause.ts";
import { calendarTimes, type Decision, decide, intervalTimes, type Times } from "./times.ts";

/** How late a waking timer may be before its time counts as missed: a busy machine is, a clock put forward is more. */
const punctualMs = 10_000;

/** Nobody tells a process that the clock was set, so it looks this often. */
const lookMs = 30_000;

/** What is kept over restarts; times are epoch milliseconds. */
interface Kept {
  /** The times it holds for: another schedule begins anew. */
  schedule: string;
  /** The last scheduled time that needs nothing more. */
  handledAt: number;
  /** Which part of `jitter` this device waits; 0 to 1. */
  jitterPart: number;
}

export function schedule(keyValue: KeyValue, clock: Clock): Trigger<ScheduleOptions> {
  return {
    async start(options, emit, { workflow, index, log }) {
      const watch = new Watch(options, keyValue, `schedule/${workflow}/${index}`, emit, log, clock);
      await watch.open();
      const stopping = new AbortController();
      const watching = watch.run(stopping.signal);
      return async () => {
        stopping.abort();
        await watching;
      };
    },
  };
}

class Watch {
  readonly #options: ScheduleOptions;
  readonly #times: Times;
  readonly #keyValue: KeyValue;
  readonly #key: string;
  readonly #emit: Emit;
  readonly #log: Log;
  readonly #clock: Clock;
  #kept!: Kept;

  constructor(options: ScheduleOptions, keyValue: KeyValue, key: string, emit: Emit, log: Log, clock: Clock) {
    const { cron, every, timezone } = options;
    this.#options = options;
    this.#times = cron === undefined ? intervalTimes(parseDuration(every!)!) : calendarTimes(cronTimes(cron, timezone));
    this.#keyValue = keyValue;
    this.#key = key;
    this.#emit = emit;
    this.#log = log;
    this.#clock = clock;
  }

  /** Reads what an earlier host kept; a new schedule counts from now on. */
  async open(): Promise<void> {
    const { cron, every, timezone } = this.#options;
    const schedule = JSON.stringify({ cron, every, timezone });
    const kept = (await this.#keyValue.get(this.#key)) as Kept | undefined;
    if (kept?.schedule === schedule) {
      this.#kept = kept;
      return;
    }
    this.#kept = { schedule, handledAt: 0, jitterPart: kept?.jitterPart ?? Math.random() };
    await this.#handled(this.#now());
  }

  async run(stopping: AbortSignal): Promise<void> {
    const backoff = new Backoff();
    // At the start nothing has waited for the times that passed, so all of them were missed.
    for (let punctual = 0; !stopping.aborted; punctual = punctualMs) {
      const now = this.#now();
      this.#followClock(now);
      const { missed } = this.#options;
      const decision = decide(this.#times, this.#kept.handledAt, now, { missed, punctualMs: punctual });
      if (decision.kind === "wait") {
        if (decision.until === undefined) return this.#log.warn("the schedule has no further time");
        await pause(Math.min(decision.until - now, lookMs), stopping, this.#clock);
      } else if (await this.#carryOut(decision)) backoff.reset();
      else await pause(backoff.next(), stopping, this.#clock);
    }
  }

  /** Gives false where the same is to be tried again later. */
  async #carryOut({ kind, scheduledAt, late, missed }: Exclude<Decision, { kind: "wait" }>): Promise<boolean> {
    const time = new Date(scheduledAt).toISOString();
    if (kind === "run") {
      // A crash before this time is kept as handled makes it come again: the same delivery gives the same run.
      const delivery = { key: "schedule", fingerprint: time, redelivered: true };
      const emission = { input: {}, event: { scheduledAt: time, missed }, delivery };
      if ((await handOver(this.#emit, emission, this.#log, { scheduledAt: time })) === "later") return false;
    }
    if (missed > 0) {
      const times = missed === 1 ? "time has" : "times have";
      const followedBy =
        kind === "skip" ? "none of them" : late ? "one run for all of them" : "the run of the next one";
      this.#log.warn(`${missed} scheduled ${times} passed without a run`, { missed, scheduledAt: time, followedBy });
    }
    // What counts from the last run counts from when it really was.
    await this.#handled(late && this.#options.every !== undefined ? this.#now() : scheduledAt);
    return true;
  }

  #followClock(now: number): void {
    const { handledAt } = this.#kept;
    const anchor = this.#times.anchor(handledAt, now);
    if (anchor === handledAt) return;
    this.#log.warn("the clock was set back; the schedule counts from now on", {
      last: new Date(handledAt).toISOString(),
    });
    this.#kept = { ...this.#kept, handledAt: anchor };
  }

  async #handled(handledAt: number): Promise<void> {
    this.#kept = { ...this.#kept, handledAt };
    try {
      await this.#keyValue.set(this.#key, { ...this.#kept } as Json);
    } catch (error) {
      this.#log.error("the last run of the schedule cannot be kept; after a restart it may count as missed", {
        err: error,
      });
    }
  }

  /** The device's clock, behind by its part of `jitter`: so all else can go by the scheduled times alone. */
  #now(): number {
    const { jitter } = this.#options;
    return this.#clock.now() - Math.round(this.#kept.jitterPart * (jitter === undefined ? 0 : parseDuration(jitter)!));
  }
}
