// The attempts of one run that are under way: begins them, reports their progress, ends them, and says what came of each.

import type { EventEmitter } from "node:events";
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../clock.ts";
import { type Failure, GantryError } from "../errors.ts";
import type { HostLog } from "../log.ts";
import type { Json, Progress } from "../sdk.ts";
import { hasSecrets, mask } from "../secrets.ts";
import type { Run, Store } from "../store/store.ts";
import { type AttemptResult, runAttempt } from "./attempt.ts";
import type { EngineEvents } from "./events.ts";
import type { PlannedAttempt } from "./plan-draft.ts";
import { endGhost } from "./processes.ts";
import type { Action } from "./program.ts";
import { ProgressReports } from "./progress-reports.ts";
import { RateLimit } from "./rate-limit.ts";
import { evaluateAt, readPolicy } from "./read-values.ts";
import type { Entry } from "./records.ts";
import { nextAttemptAt } from "./retry.ts";
import type { RunFacts } from "./run-facts.ts";
import { maskValues, unmaskLater } from "./run-secrets.ts";
import type { RunState } from "./state.ts";
import type { FindStep } from "./workflow.ts";

export interface ActiveAttemptsOptions {
  run: Run;
  facts: RunFacts;
  /** What the run's records add up to; only read. */
  state: RunState;
  secrets: Store["secrets"];
  findStep: FindStep;
  events: EventEmitter<EngineEvents>;
  log: HostLog;
  clock: Clock;
  /** The run's own clock. */
  now(): number;
  /** Does one thing after the other that changes the run's state. */
  inOrder(work: () => Promise<void>): Promise<void>;
  /** Commits a record from which nothing follows. */
  note(entry: Entry): Promise<void>;
  /** Commits what came of an attempt, and goes on. */
  advance(entries: Entry[]): Promise<void>;
  /** Resolves when the run has ended, or is suspended. */
  ended: Promise<void>;
  /** An attempt ended without a result because the host stops. */
  suspended(): void;
}

interface ActiveAttempt {
  controller: AbortController;
  /** Why it is to end, once that is so. */
  error: Failure | undefined;
  /** Ends the report of its progress that is under way. */
  report?: AbortController;
}

type Tell = (status: EngineEvents["step"][0]["status"], more?: object) => void;

export class ActiveAttempts {
  readonly #options: ActiveAttemptsOptions;
  readonly #active = new Map<string, ActiveAttempt>();
  #secrets: Readonly<Record<string, Json>> | undefined;
  #rateLimit: RateLimit | undefined;

  constructor(options: ActiveAttemptsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#active.size;
  }

  /** Begins an attempt, if it is not under way; ends it where there is an error. */
  begin(planned: PlannedAttempt, error: Failure | undefined): void {
    const { path } = planned;
    const active = this.#active.get(path);
    if (active === undefined) {
      const attempt = { controller: new AbortController(), error };
      this.#active.set(path, attempt);
      // What goes wrong inside has been logged by then.
      void this.#attempt(planned, attempt).catch(() => {});
    } else if (error !== undefined && active.error === undefined) {
      active.error = error;
      active.controller.abort(asError(error));
      active.report?.abort(asError(error));
    }
  }

  /** Ends all without a result. */
  endAll(reason: GantryError): void {
    for (const { controller, report } of this.#active.values()) {
      controller.abort(reason);
      report?.abort(reason);
    }
  }

  async #attempt(planned: PlannedAttempt, active: ActiveAttempt): Promise<void> {
    const { events, log, run, state: runState, inOrder, note } = this.#options;
    const { path, action, id } = planned;
    const state = runState.nodes.get(path)!;
    const about = { run: run.id, path, uses: action.uses, ...(id === undefined ? {} : { id }) };
    // Most attempts never write a line.
    let made: HostLog | undefined;
    const stepLog = () => {
      made ??= log.child({ step: id ?? path });
      return made;
    };
    const tell: Tell = (status, more = {}) =>
      events.emit("step", { ...about, attempt: state.attempt, status, ...more });
    if (active.error !== undefined) {
      // An earlier host began it; what it left behind is ended, and it does not begin again.
      if (state.process !== undefined) await endGhost(state.process);
      const { error } = active;
      return inOrder(() => this.#settle(planned, { status: "failed", error }, tell, stepLog));
    }
    tell("running");
    const reports =
      planned.onProgress && new ProgressReports((progress) => this.#report(planned, active, progress, stepLog));
    const result = await runAttempt({
      ...this.#surroundings(action, stepLog, active.controller),
      path,
      state,
      idempotencyKey: `${run.id}/${path}`,
      record: (entry) => inOrder(() => note(masked(entry))),
      progress: (given) => {
        const progress = masked(given);
        events.emit("progress", { ...about, progress });
        reports?.report(progress);
      },
    });
    if (result.status === "suspended" || active.error !== undefined) reports?.drop();
    await reports?.finish();
    await inOrder(() => this.#settle(planned, result, tell, stepLog));
  }

  #surroundings({ uses, secrets }: Action, log: () => HostLog, controller: AbortController) {
    const { findStep, facts, clock } = this.#options;
    return {
      uses,
      run: facts,
      findStep,
      secretPlaces: secrets,
      runSecret: this.#runSecret,
      nameOfSecret: this.#nameOfSecret,
      throttle: (bytes: number) => this.#throttle(bytes, controller.signal),
      log,
      clock,
      controller,
    };
  }

  #runSecret = (name: string): Json | undefined => {
    const secrets = this.#ownSecrets();
    return Object.hasOwn(secrets, name) ? secrets[name] : undefined;
  };

  #nameOfSecret = (value: Json): string | undefined =>
    Object.entries(this.#ownSecrets()).find(([, secret]) => isDeepStrictEqual(secret, value))?.[0];

  #ownSecrets(): Readonly<Record<string, Json>> {
    if (this.#secrets === undefined) {
      this.#secrets = this.#options.secrets.get(this.#options.run.id);
      const release = maskValues(this.#secrets);
      void this.#options.ended.then(() => unmaskLater(release));
    }
    return this.#secrets;
  }

  async #throttle(bytes: number, signal: AbortSignal): Promise<void> {
    const { bytesPerSecond } = this.#options.state.policy;
    if (bytesPerSecond === undefined) return;
    this.#rateLimit ??= new RateLimit(bytesPerSecond);
    await this.#rateLimit.take(bytes, signal);
  }

  /** Runs the step of `onProgress`; nothing of it is journaled, and its failure changes nothing. */
  async #report(planned: PlannedAttempt, active: ActiveAttempt, progress: Progress, log: () => HostLog): Promise<void> {
    const { path, onProgress, scope } = planned;
    const { run } = this.#options;
    const action = onProgress!;
    const { percent = null, message = null, details = null } = progress;
    const seen = { ...scope, progress: { percent, message, details } };
    const input = evaluateAt(action.with, seen);
    const policy = readPolicy(action, seen);
    if (!input.ok || !policy.ok) {
      log().warn("progress cannot be reported", { err: input.ok ? undefined : input.error.message });
      return;
    }
    // A report is sent once and never again, so each has a key of its own.
    const place = `${path}/onProgress`;
    const controller = new AbortController();
    active.report = controller;
    const result = await runAttempt({
      ...this.#surroundings(action, log, controller),
      path: place,
      state: { status: "running", attempt: 1, begun: { attempt: 1, input: input.value, ...policy.value } },
      idempotencyKey: `${run.id}/${place}/${crypto.randomUUID()}`,
      record: async () => {},
      progress: () => {},
    });
    delete active.report;
    if (result.status === "failed")
      log().warn(`progress cannot be reported: ${result.error.message}`, { code: result.error.code });
  }

  async #settle(planned: PlannedAttempt, result: AttemptResult, tell: Tell, log: () => HostLog): Promise<void> {
    const { path, action, id } = planned;
    const { state: runState, now, advance, suspended } = this.#options;
    const abort = this.#active.get(path)?.error;
    this.#active.delete(path);
    if (result.status === "suspended") {
      tell("suspended");
      suspended();
      return;
    }
    if (result.status === "succeeded") {
      const { status: _, ...data } = result;
      tell(result.unchanged ? "unchanged" : "succeeded");
      return advance([masked<Entry>({ kind: "succeeded", path, data })]);
    }
    const state = runState.nodes.get(path)!;
    const error = masked(id === undefined ? result.error : { ...result.error, step: id });
    const at = abort === undefined ? nextAttemptAt(state.begun!.retry, state.attempt, error, now()) : undefined;
    const facts = { code: error.code, remedy: error.remedy, attempt: state.attempt };
    log().warn(
      `step ${action.uses} failed: ${error.message}`,
      at === undefined ? facts : { ...facts, retryAt: new Date(at).toISOString() },
    );
    tell(at === undefined ? "failed" : "retrying", { error });
    if (at === undefined) return advance([{ kind: "failed", path, data: { error } }]);
    return advance([{ kind: "retry", path, data: { error, at } }]);
  }
}

function asError({ code, message, details }: Failure): GantryError {
  return new GantryError(code as "ABORTED", message, details === undefined ? {} : { details });
}

/** What a step returns, reports or complains of may repeat a secret it was given. */
function masked<Value>(value: Value): Value {
  return hasSecrets() ? (maskedValue(value as Json) as Value) : value;
}

function maskedValue(value: Json): Json {
  if (typeof value === "string") return mask(value);
  if (Array.isArray(value)) return value.map(maskedValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskedValue(inner)]));
}
