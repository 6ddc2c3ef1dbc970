// One attempt at one step: its context, its time limit, and what came of it.

import type { Clock } from "../clock.ts";
import { type Failure, GantryError, toFailure } from "../errors.ts";
import type { HostLog } from "../log.ts";
import type { Json, JsonObject, Progress, StepContext } from "../sdk.ts";
import { isSecretReference, readSecret } from "../secrets.ts";
import { pause } from "../triggers/pause.ts";
import { endGhost, identifyProcess } from "./processes.ts";
import type { Entry } from "./records.ts";
import type { RunFacts } from "./run-facts.ts";
import { putSecretsIn, referToSecrets } from "./run-secrets.ts";
import type { NodeState } from "./state.ts";
import { type FindStep, type RunnableStep, StepDisplaced } from "./workflow.ts";

export type AttemptResult =
  | { status: "succeeded"; output: Json; unchanged?: boolean }
  | { status: "failed"; error: Failure }
  /** The host is stopping: no result, the attempt is repeated at the next start. */
  | { status: "suspended" };

export interface AttemptOptions {
  path: string;
  uses: string;
  /** The step as the journal knows it: its input, and the checkpoint and process that this attempt left earlier. */
  state: NodeState;
  /** Where the document names secrets in the step's input: keys from its top. */
  secretPlaces: readonly string[][];
  /** A secret that came with the run's input, by the name in its reference. */
  runSecret(name: string): Json | undefined;
  /** The name of the secret with this value, if the run has one. */
  nameOfSecret(value: Json): string | undefined;
  idempotencyKey: string;
  run: RunFacts;
  findStep: FindStep;
  /** Commits a record of this attempt. */
  record(entry: Entry): Promise<void>;
  progress(progress: Progress): void;
  /** Waits until the run may transfer this many bytes. */
  throttle(bytes: number): Promise<void>;
  log: () => HostLog;
  clock: Clock;
  /** Aborted with a coded reason when the attempt must end from outside; the time limit uses it, too. */
  controller: AbortController;
}

/** How long a step may go on after its abort before the host stops waiting for it. */
const deafAfterMs = 10_000;

/** The largest output a step may return, as JSON. */
const maxOutputLength = 1 << 20;

/** Never rejects: whatever the step does becomes a result. */
export async function runAttempt(options: AttemptOptions): Promise<AttemptResult> {
  const { controller } = options;
  const { signal } = controller;
  const { timeoutMs } = options.state.begun!;
  const attempt = { isOver: false };
  const limit = timeoutMs === undefined ? undefined : new AbortController();
  if (limit !== undefined)
    void pause(timeoutMs!, limit.signal, options.clock).then(
      () => attempt.isOver || controller.abort(timedOut(timeoutMs!)),
    );
  let step: RunnableStep | undefined;
  try {
    let begunBefore = options.state.resumed === true;
    let delayMs = 100;
    for (;;) {
      if (begunBefore && options.state.process !== undefined) await endGhost(options.state.process);
      step = await options.findStep(options.uses, signal);
      const done = await carryOut(step, options, attempt).catch((error) => refusedByDisk(error, options));
      if (done !== "displaced" && done !== "refused") return { status: "succeeded", ...done };
      if (done === "refused") {
        await pause(delayMs, signal, options.clock);
        delayMs = Math.min(delayMs * 2, 10_000);
      }
      signal.throwIfAborted();
      begunBefore = true;
    }
  } catch (error) {
    if (isStopping(signal)) return { status: "suspended" };
    // A step that ends because of its abort may say so in words of its own; the reason of the abort is what counts.
    return { status: "failed", error: toFailure(signal.aborted ? signal.reason : error, step?.errors) };
  } finally {
    attempt.isOver = true;
    limit?.abort();
  }
}

type Done = { output: Json; unchanged?: boolean };

async function carryOut(
  step: RunnableStep,
  options: AttemptOptions,
  attempt: { readonly isOver: boolean },
): Promise<Done | "displaced"> {
  const input = withRunSecrets(options.state.begun!.input, options);
  for (const place of options.secretPlaces) await putSecretAt(input, place);
  refuse("INPUT_INVALID", options.uses, step.checkInput(input));
  const context = contextOf(step, options, attempt);
  try {
    const done = await untilDeaf(perform(step, input, context), options.controller.signal, options);
    refuse("OUTPUT_INVALID", options.uses, step.checkOutput(done.output));
    if (step.secretOutput !== undefined) referToSecrets(step.secretOutput, done.output, options.nameOfSecret);
    return done;
  } catch (error) {
    if (error instanceof StepDisplaced) return "displaced";
    throw error;
  }
}

/** What the store cannot take now is no failure of the step, as it is none of the run: it is done again. */
function refusedByDisk(error: unknown, { log, uses, controller }: AttemptOptions): "refused" {
  const { code } = error as GantryError;
  if (controller.signal.aborted || (code !== "STORE_FULL" && code !== "STORE_READ_ONLY")) throw error;
  log().error(`the store cannot take what ${uses} gives it; the run waits`, { code, err: error });
  return "refused";
}

function withRunSecrets(given: Json, { runSecret }: AttemptOptions): Json {
  return putSecretsIn(given, (name) => {
    const value = runSecret(name);
    if (value === undefined) throw new GantryError("SECRET_MISSING", "a secret that came with the run's input is gone");
    return value;
  });
}

// The document's own references stand where its author wrote them; what a message brings is never looked up by name.
async function putSecretAt(input: Json, place: readonly string[]): Promise<void> {
  const parent = place.slice(0, -1).reduce((value, key) => value[key] as JsonObject, input as JsonObject);
  const reference = parent[place.at(-1)!];
  if (isSecretReference(reference)) parent[place.at(-1)!] = await readSecret(reference.$secret);
}

async function perform(step: RunnableStep, input: Json, context: StepContext): Promise<Done> {
  const { implementation } = step;
  const already = await implementation.check?.(input as never, context);
  if (already !== undefined) return { output: asJson(already), unchanged: true };
  return { output: asJson(await implementation.run(input as never, context)) };
}

function contextOf(step: RunnableStep, options: AttemptOptions, attempt: { readonly isOver: boolean }): StepContext {
  const { path, run, state, controller } = options;
  const record = (entry: Entry) => (attempt.isOver ? refusal(step, controller.signal) : options.record(entry));
  let log: HostLog | undefined;
  return {
    signal: controller.signal,
    get log() {
      log ??= options.log().child({ plugin: step.plugin });
      return log;
    },
    progress: (progress) => {
      if (!attempt.isOver) options.progress(progress);
    },
    checkpoint: (value) => record({ kind: "checkpoint", path, data: { value } }),
    lastCheckpoint: state.checkpoint,
    idempotencyKey: options.idempotencyKey,
    get directory() {
      return run.directory;
    },
    run: { id: run.id, workflow: run.workflow, retryOf: run.retryOf },
    services: step.services,
    secret: step.secret,
    database: step.database,
    fetch: step.fetch,
    throttle: options.throttle,
    async processStarted(pid) {
      const identity = identifyProcess(pid);
      if (identity !== undefined) await record({ kind: "process", path, data: identity });
    },
  };
}

/** What a step is told that goes on after its end: whatever it does no longer counts. */
function refusal({ uses }: RunnableStep, signal: AbortSignal): Promise<never> {
  const error = new GantryError("PLUGIN_CONTRACT_BROKEN", `${uses} goes on though its attempt has ended`);
  const refused = Promise.reject(signal.aborted ? signal.reason : error);
  // Nobody may be waiting for it any more.
  refused.catch(() => {});
  return refused;
}

/** Waits for a step, but not for ever once it was told to end. */
function untilDeaf<Value>(work: Promise<Value>, signal: AbortSignal, options: AttemptOptions): Promise<Value> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const onAbort = () => {
      timer = setTimeout(() => {
        options.log().error("step does not end though it was told to; the run goes on without it", {
          path: options.path,
        });
        reject(signal.reason);
      }, deafAfterMs);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    const isOver = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
    work.then(
      (value) => {
        isOver();
        resolve(value);
      },
      (error) => {
        isOver();
        reject(error);
      },
    );
  });
}

function refuse(code: "INPUT_INVALID" | "OUTPUT_INVALID", uses: string, problems: string[]): void {
  if (problems.length === 0) return;
  const what = code === "INPUT_INVALID" ? "input" : "output";
  throw new GantryError(code, `the ${what} of ${uses} is wrong: ${problems.join("; ")}`);
}

const timedOut = (timeoutMs: number) => new GantryError("STEP_TIMEOUT", `not done within ${timeoutMs} ms`);

const isStopping = (signal: AbortSignal) => signal.aborted && (signal.reason as GantryError).code === "HOST_STOPPING";

// Only JSON passes between plugins: what would not survive the journal does not survive here either.
function asJson(output: unknown): Json {
  if (output === undefined) return {};
  const text = JSON.stringify(output) ?? "null";
  if (text.length > maxOutputLength)
    throw new GantryError("OUTPUT_TOO_LARGE", `the step returned ${text.length} characters of JSON`);
  return JSON.parse(text) as Json;
}
