// What a plan is made of while it is being made: the records so far, and what they ask for.

import type { Failure } from "../errors.ts";
import type { Scope } from "../expressions/index.ts";
import type { PrunedPlaces } from "../store/store.ts";
import { failed, type Outcome, pending } from "./place-outcome.ts";
import type { Action, Body } from "./program.ts";
import type { Entry, RecordData } from "./records.ts";
import { applyRecord, type RunState } from "./state.ts";

export interface PlannedAttempt {
  path: string;
  action: Action;
  id: string | undefined;
  onProgress: Action | undefined;
  /** What the step's expressions see. */
  scope: Scope;
}

/** A place that a signal would move. */
export interface Listening {
  path: string;
  signal: string;
  /** Signals count that came at this time or later (epoch milliseconds). */
  since: number;
  /** Whether the signal aborts the place, or else ends its wait. */
  aborts: boolean;
}

/** A `host/wait` that goes on, or a step that the run's time window holds back. */
export interface OpenWait {
  path: string;
  uses: string;
  id: string | undefined;
  wait: RecordData["waiting"];
}

export interface Plan {
  /** To be committed before anything below happens. Already applied to the state. */
  records: Entry[];
  /** Places whose attempt is to be under way now. */
  attempts: PlannedAttempt[];
  /** Places whose attempt is to end now, and why. */
  aborts: (PlannedAttempt & { error: Failure })[];
  listening: Listening[];
  waits: OpenWait[];
  /** When to plan again though nothing has happened: the earliest end of a wait (epoch milliseconds). */
  wakeAt: number | undefined;
  /** Whether something is being undone. */
  undoing: boolean;
  /** Records nobody will ask for again. */
  prunes: PrunedPlaces[];
}

/** What holds at one place of the tree. */
export interface Here {
  scope: Scope;
  /** Why nothing may begin here any more. */
  abort: Failure | undefined;
  /** Whether the run's time window holds steps back: it does not where something is being cleaned up. */
  held: boolean;
}

/** Goes on with a body at a place that was entered at `since` (epoch milliseconds). */
export type WalkBody = (body: Body, base: string, here: Here, since: number) => Outcome;

export class PlanDraft {
  readonly state: RunState;
  /** The run's own clock (epoch milliseconds). */
  readonly now: number;
  /** The wall clock, which says what time of day it is. */
  readonly today: number;
  readonly records: Entry[] = [];
  readonly attempts = new Map<string, PlannedAttempt>();
  readonly aborts = new Map<string, PlannedAttempt & { error: Failure }>();
  readonly listening: Listening[] = [];
  readonly waits: OpenWait[] = [];
  readonly prunes: PrunedPlaces[] = [];
  undoing = false;
  #wakeAt: number | undefined;

  constructor(state: RunState, now: number, today: number) {
    this.state = state;
    this.now = now;
    this.today = today;
  }

  finish(): Plan {
    return {
      records: this.records,
      attempts: [...this.attempts.values()],
      aborts: [...this.aborts.values()],
      listening: this.listening,
      waits: this.waits,
      wakeAt: this.#wakeAt,
      undoing: this.undoing,
      prunes: this.prunes,
    };
  }

  /** Records the end of a place that has an inside. */
  close(path: string, result: Outcome, id: string | undefined): Outcome {
    if (result.status === "failed") return this.fail(path, result.error, id);
    if (result.status === "succeeded") this.record({ kind: "succeeded", path, data: { output: result.output } });
    return result;
  }

  fail(path: string, error: Failure, id: string | undefined): Outcome {
    const named = error.step === undefined && id !== undefined ? { ...error, step: id } : error;
    this.record({ kind: "failed", path, data: { error: named } });
    return failed(named);
  }

  /** Whatever is decided is a record, and the state follows it at once. */
  record(entry: Entry): void {
    applyRecord(this.state, entry);
    this.records.push(entry);
  }

  /** Plans again at this time at the latest. */
  sleep(until: number): Outcome {
    this.#wakeAt = Math.min(this.#wakeAt ?? Number.POSITIVE_INFINITY, until);
    return pending;
  }
}
