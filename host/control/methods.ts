// What can be asked of a running host through its control socket: each method with the schema of its params.

import { randomUUID } from "node:crypto";
import packageJson from "../../package.json" with { type: "json" };
import { compileSchema } from "../documents/schema-check.ts";
import { toldProblems } from "../documents/told-problems.ts";
import type { Engine } from "../engine/engine.ts";
import { GantryError } from "../errors.ts";
import type { ActivePlugins } from "../loading/active-plugins.ts";
import type { HostDocuments } from "../loading/read-host.ts";
import { readPluginAgain } from "../loading/read-plugin-again.ts";
import type { HostLog } from "../log.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { type Run, type RunStatus, runStatuses, type Store } from "../store/store.ts";
import type { Call, CallContext } from "./connection.ts";
import { type EngineEvent, Follower } from "./follower.ts";
import { ParamsError } from "./json-rpc.ts";
import { findWorkflow, type WorkflowName } from "./named-workflow.ts";
import { waitForEnd } from "./wait-for-end.ts";

/** The parts of a host that are asked. */
export interface ControlledHost {
  engine: Engine;
  plugins: ActivePlugins;
  store: Store;
  documents: HostDocuments;
  dataDirectory: string;
  log: HostLog;
  /** Whether it takes all runs, or carries out one in the foreground. */
  serve: boolean;
}

interface Method {
  params: JsonObject;
  call(host: ControlledHost, params: JsonObject, context: CallContext): Promise<unknown> | unknown;
}

const text = { type: "string", minLength: 1, maxLength: 4096 };
const closed = (properties: JsonObject, required: string[] = []): JsonObject => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});
const workflowParams = {
  /** One of the two: the name of a workflow of this host, or the absolute path of a document. */
  workflow: text,
  file: { ...text, pattern: "^/" },
  input: {},
};

export const methods: Readonly<Record<string, Method>> = {
  "host.info": {
    params: closed({}),
    call: ({ store, engine, serve }) => ({
      version: packageJson.version,
      pid: process.pid,
      startedAt: new Date(Date.now() - Math.round(process.uptime() * 1000)).toISOString(),
      uptimeMs: Math.round(process.uptime() * 1000),
      serves: serve,
      figures: {
        residentBytes: process.memoryUsage.rss(),
        openRuns: store.runs.unfinished().length,
        listeners: engine.listenerCount("step"),
        ...store.figures,
      },
    }),
  },
  "runs.list": {
    params: closed({
      workflow: text,
      status: { type: "array", items: { enum: [...runStatuses] } },
      limit: { type: "integer", minimum: 1, maximum: 1000 },
    }),
    call: ({ store }, { limit = 50, workflow, status }) =>
      store.runs
        .list({
          limit: limit as number,
          ...(workflow === undefined ? {} : { workflow: workflow as string }),
          ...(status === undefined ? {} : { status: status as RunStatus[] }),
        })
        .map(summaryOf),
  },
  "runs.cancel": {
    params: closed({ run: text }, ["run"]),
    call: async ({ engine, store }, { run }) => {
      const cancelled = await engine.cancel(run as string);
      return summaryOf(store.runs.get(cancelled.id) ?? cancelled);
    },
  },
  "runs.retry": {
    params: closed({ run: text, follow: { type: "boolean" } }, ["run"]),
    call: (host, { run, follow = false }, context) =>
      started(host, follow as boolean, context, () => host.engine.retry(run as string)),
  },
  "runs.start": {
    params: closed({ ...workflowParams, follow: { type: "boolean" } }),
    call: (host, { workflow, file, input = {}, follow = false }, context) =>
      started(host, follow as boolean, context, async () => {
        const found = findWorkflow(nameOf(workflow, file), host.documents, host.log);
        return host.engine.accept(found, { input });
      }),
  },
  "runs.plan": {
    params: closed(workflowParams),
    call: async (host, { workflow, file, input = {} }) => {
      const found = findWorkflow(nameOf(workflow, file), host.documents, host.log);
      const { planRun } = await import("../planning/plan-run.ts");
      const { documents, plugins, dataDirectory, log } = host;
      return planRun(found, input, { documents, findStep: plugins.findStep, dataDirectory, log });
    },
  },
  "runs.wait": {
    params: closed({ run: text }, ["run"]),
    call: ({ engine, store }, { run }, { gone }) => waitForEnd(run as string, engine, store.runs, gone),
  },
  "signals.send": {
    params: closed({ name: { ...text, maxLength: 1000 }, value: {}, id: text }, ["name"]),
    call: ({ engine }, { name, value = null, id = randomUUID() }) =>
      engine.signal({ id: id as string, name: name as string, value }),
  },
  "plugins.list": {
    params: closed({}),
    call: ({ plugins }) => plugins.states(),
  },
  "plugins.restart": {
    params: closed({ plugin: text }, ["plugin"]),
    call: async ({ plugins, documents }, { plugin }) => {
      const now = readPluginAgain(plugin as string, documents);
      const state = now === undefined ? await plugins.restart(plugin as string) : (await plugins.replace(now)).state;
      return (state ?? null) as unknown as Json;
    },
  },
  "events.follow": {
    params: closed({ run: text }),
    call: ({ engine }, { run }, context) => {
      follow(engine, run as string | undefined, context);
      return {};
    },
  },
};

const checks = new Map<Method, (value: unknown) => { pointer: string; message: string }[]>();

/** The methods, bound to a host. */
export function callsOf(host: ControlledHost): Call {
  return (name, params, context) => {
    if (!Object.hasOwn(methods, name)) return undefined;
    const method = methods[name]!;
    const check = checks.get(method) ?? compileSchema(method.params);
    checks.set(method, check);
    return (async () => {
      const problems = check(params).map(({ pointer, message }) => `${pointer} ${message}`.trim());
      if (problems.length > 0) throw new ParamsError(toldProblems(problems).join("; "));
      return ((await method.call(host, params, context)) ?? null) as Json;
    })();
  };
}

async function started(
  { engine, serve }: ControlledHost,
  follows: boolean,
  context: CallContext,
  start: () => Promise<{ runId: string }>,
): Promise<{ runId: string }> {
  if (!serve) throw new GantryError("HOST_FOREGROUND", "a run in the foreground works with this data folder");
  const follower = follows ? follow(engine, "later", context) : undefined;
  try {
    const { runId } = await start();
    follower?.only(runId);
    return { runId };
  } catch (error) {
    follower?.[Symbol.dispose]();
    throw error;
  }
}

function follow(engine: Engine, run: string | undefined, context: CallContext): Follower {
  const tell = ({ name, facts }: EngineEvent) =>
    context.notify(`events.${name}`, facts as unknown as JsonObject, { expendable: name === "progress" });
  const follower = new Follower(engine, run, tell);
  context.defer(() => follower[Symbol.dispose]());
  return follower;
}

function nameOf(workflow: Json | undefined, file: Json | undefined): WorkflowName {
  if (workflow !== undefined && file === undefined) return { workflow: workflow as string };
  if (file !== undefined && workflow === undefined) return { file: file as string };
  throw new ParamsError("one of `workflow` and `file` is needed");
}

/** What a list shows of a run: not what went in and came out, which may be large. */
function summaryOf({ id, workflow, status, group, retryOf, acceptedAt, startedAt, endedAt, error }: Run) {
  return { id, workflow, status, group, retryOf, acceptedAt, startedAt, endedAt, error };
}
