// Runs one step of a shipped plugin as the host would, without a workflow around it.

import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compileSchema, type SchemaProblem } from "../../host/documents/schema-check.ts";
import { catalogue, type ErrorEntry, type Failure, toFailure } from "../../host/errors.ts";
import { readConfig } from "../../host/loading/read-config.ts";
import type { Json, JsonObject, Plugin, PluginContext, Progress, Step, StepContext } from "../../host/sdk.ts";
import type { PluginManifest } from "../../schemas/plugin.types.ts";
import { type LogLine, recordingLog } from "./recording-log.ts";

/** What a step did through its context, and the means to end it; the directory goes with `using`. */
export interface RecordedContext extends StepContext, Disposable {
  readonly reports: Progress[];
  readonly lines: LogLine[];
  readonly checkpoints: Json[];
  /** The process groups it has told of. */
  readonly groups: number[];
  readonly controller: AbortController;
}

export function stepContext(overrides: Partial<StepContext> = {}): RecordedContext {
  const controller = new AbortController();
  const directory = mkdtempSync(join(tmpdir(), "gantry-step-"));
  const reports: Progress[] = [];
  const lines: LogLine[] = [];
  const checkpoints: Json[] = [];
  const groups: number[] = [];
  return {
    reports,
    lines,
    checkpoints,
    groups,
    controller,
    directory,
    signal: controller.signal,
    log: recordingLog(lines),
    progress: (progress) => void reports.push(progress),
    checkpoint: async (value) => void checkpoints.push(value),
    lastCheckpoint: undefined,
    idempotencyKey: "run-1/step",
    run: { id: "run-1", workflow: "a-test", retryOf: null },
    services: {},
    secret: (key) => Promise.reject(new Error(`no secret ${key}`)),
    fetch,
    throttle: async () => {},
    database: (name) => {
      throw new Error(`no database ${name}`);
    },
    processStarted: async (pid) => void groups.push(pid),
    ...overrides,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

interface Manifest {
  config?: JsonObject;
  steps: Record<string, { input: JsonObject; output?: JsonObject }>;
  errors?: Record<string, ErrorEntry>;
}

/**
 * Sets the plugin up with `config` and its defaults, then `check`, then `run`. Rejects with what the step throws, and
 * with an Error where configuration, input or output do not match the manifest.
 */
export async function runStep<Output = JsonObject>(
  pluginName: string,
  stepName: string,
  input: JsonObject,
  context: StepContext,
  config: JsonObject = {},
): Promise<Output> {
  const run = await setUpStep<Output>(pluginName, stepName, context, config);
  return run(input);
}

/** The same, in a plugin that is set up once for all that it is called. */
export async function setUpStep<Output = JsonObject>(
  pluginName: string,
  stepName: string,
  context: StepContext,
  config: JsonObject = {},
): Promise<(input: JsonObject) => Promise<Output>> {
  const { steps } = await readManifest(pluginName);
  const { input, output = {} } = steps[stepName]!;
  const fillInput = filler(`the input of ${pluginName}/${stepName}`, input);
  const fillOutput = filler(`the output of ${pluginName}/${stepName}`, output, false);
  const step = await stepOf(pluginName, stepName, context, config);
  return async (given) => {
    const filled = fillInput(given) as never;
    const returned = (await step.check?.(filled, context)) ?? (await step.run(filled, context));
    // As it comes out of the journal.
    return fillOutput(asJson(returned)) as Output;
  };
}

/** The failure as the host records it; a code that neither the manifest nor the host declares is itself a fault. */
export async function failureOf(pluginName: string, attempt: Promise<unknown>): Promise<Failure> {
  // Taken up at once: an attempt that fails while the manifest is being read would count as unhandled.
  const ended = attempt.then(
    (output) => ({ output }),
    (error: unknown) => ({ error }),
  );
  const { errors = {} } = await readManifest(pluginName);
  const ending = await ended;
  if ("output" in ending) throw new Error(`it succeeded: ${JSON.stringify(ending.output)}`);
  const { error } = ending;
  const failure = toFailure(error, errors);
  if (!Object.hasOwn(errors, failure.code) && !Object.hasOwn(catalogue, failure.code))
    throw new Error(`${failure.code} is not declared`, { cause: error });
  return failure;
}

/** The sentence of the step's `plan`. */
export async function planStep(
  pluginName: string,
  stepName: string,
  input: JsonObject,
  context: StepContext,
): Promise<string | undefined> {
  const { steps } = await readManifest(pluginName);
  const step = await stepOf(pluginName, stepName, context, {});
  const filled = filler(`the input of ${pluginName}/${stepName}`, steps[stepName]!.input)(input);
  return step.plan?.(filled as never, context);
}

async function stepOf(pluginName: string, stepName: string, { log, directory }: StepContext, config: JsonObject) {
  const folder = folderOf(pluginName);
  const manifest = await readManifest(pluginName);
  const { config: filled, problems } = readConfig(config, manifest as unknown as PluginManifest, true);
  if (problems.length > 0) throw new Error(faultsOf(`the configuration of ${pluginName}`, problems));
  const { default: plugin } = (await import(pathToFileURL(join(folder, "index.ts")).href)) as { default: Plugin };
  const context: Partial<PluginContext> = {
    config: filled,
    services: {},
    log,
    device: undefined,
    directory,
  };
  const { steps = {} } = await plugin.setup(context as PluginContext);
  return steps[stepName] as Step;
}

async function readManifest(pluginName: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folderOf(pluginName), "plugin.json"), "utf8")) as Manifest;
}

function filler(what: string, schema: JsonObject, defaults = true): (value: Json) => Json {
  const check = compileSchema(schema, { defaults });
  return (value) => {
    const filled = structuredClone(value);
    const problems = check(filled);
    if (problems.length === 0) return filled;
    throw new Error(faultsOf(what, problems));
  };
}

const faultsOf = (what: string, problems: SchemaProblem[]) =>
  `${what}: ${problems.map(({ pointer, message }) => `${pointer} ${message}`).join("; ")}`;

const folderOf = (pluginName: string) => fileURLToPath(new URL(`../../plugins/${pluginName}`, import.meta.url));

const asJson = (output: unknown) => JSON.parse(JSON.stringify(output)) as Json;
