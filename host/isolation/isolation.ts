// The carrier that runs plugins in processes of their own.

import type { PluginManifest } from "../../schemas/plugin.types.ts";
import { GantryError } from "../errors.ts";
import type { CarrierEvents, StartPlugin } from "../loading/in-process.ts";
import type { InstalledPlugin } from "../loading/installed-plugin.ts";
import { pluginFolder } from "../loading/plugin-context.ts";
import type { HostLog } from "../log.ts";
import type { Contributions, Emit, Log, Service, Step, StepContext, Stop, Trigger } from "../sdk.ts";
import { Guard } from "./guard.ts";
import { lendEmit, lendPluginContext, lendStepContext, lendTriggerContext } from "./host-side.ts";
import { defaultLimits, type IsolationLimits } from "./limits.ts";
import { nodeOptions } from "./node-options.ts";
import { PluginProcess } from "./plugin-process.ts";

export interface IsolationOptions {
  /** All plugins of the host: those of one group share a process and what each of them may do. */
  plugins: () => readonly InstalledPlugin[];
  dataDirectory: string;
  log: HostLog;
  limits?: Partial<IsolationLimits>;
}

export interface Isolation {
  readonly start: StartPlugin;
  /** Imports the module in a process of its own; rejects with what it throws, or why the process failed. */
  tryOut(plugin: InstalledPlugin): Promise<void>;
  /** Ends all processes; resolves once they are gone. */
  close(): Promise<void>;
}

interface Household {
  process: PluginProcess;
  members: number;
}

export function createIsolation(options: IsolationOptions): Isolation {
  const limits = { ...defaultLimits, ...options.limits };
  const { log } = options;
  const guard = new Guard((message) => log.warn(`plugins would outlive a host that is killed: ${message}`));
  const households = new Map<string, Household>();
  const running = new Set<PluginProcess>();
  let number = 0;
  ignoreDebuggerSignal();

  const householdOf = (plugin: InstalledPlugin): Household => {
    const key = householdKey(plugin);
    const found = households.get(key);
    if (found !== undefined && !found.process.isEnding) return found;
    const plugins = options.plugins().filter((other) => householdKey(other) === key);
    const household = { process: startProcess(plugins), members: 0 };
    households.set(key, household);
    return household;
  };

  const startProcess = (plugins: readonly InstalledPlugin[]): PluginProcess => {
    const memoryLimitMb = Math.max(...plugins.map((plugin) => plugin.memoryLimitMb ?? limits.memoryMb));
    const placed = plugins.map((plugin) => ({
      ...plugin,
      dataFolder: pluginFolder(options.dataDirectory, plugin.name),
    }));
    const process = new PluginProcess({
      nodeOptions: nodeOptions({ plugins: placed, dataDirectory: options.dataDirectory, memoryLimitMb }),
      environment: grantedEnvironment(plugins.map(({ manifest }) => manifest)),
      directory: placed[0]!.dataFolder,
      number: ++number,
      mayRun: plugins.some(({ manifest }) => manifest.permissions?.run === true),
      memoryLimitMb,
      limits,
      guard,
      log: log.child({ plugin: plugins.map(({ name }) => name).join(",") }),
    });
    running.add(process);
    void process.ended.then(() => running.delete(process));
    return process;
  };

  const start: StartPlugin = async (plugin, context, events) => {
    const household = householdOf(plugin);
    const { process } = household;
    household.members += 1;
    const leave = async () => {
      household.members -= 1;
      if (household.members === 0) await process.end();
    };
    events.onProcess(process);
    try {
      const lent = await untilGivenUp(
        process.root("setUp")(factsOf(plugin), lendPluginContext(context, process)),
        events,
      );
      // What is no object is refused by whoever asked for it, and has no `stop`.
      if (typeof lent !== "object" || lent === null) await leave();
      return carried(lent as Contributions, process, limits, leave);
    } catch (error) {
      await leave();
      throw error;
    }
  };

  return {
    start,
    async tryOut(plugin) {
      const process = startProcess([plugin]);
      try {
        await process.root("load")(plugin.main);
      } finally {
        await process.end();
      }
    },
    async close() {
      await Promise.all([...running].map((process) => process.end()));
      guard.close();
    },
  };
}

const householdKey = ({ name, isolation }: InstalledPlugin) =>
  isolation === undefined ? `plugin ${name}` : `group ${isolation}`;

const factsOf = ({ main, manifest }: InstalledPlugin) => ({ main, manifest });

// Where programs are found, for one that may start them, and whom to trust, for one that may connect.
function grantedEnvironment(manifests: readonly PluginManifest[]): Record<string, string> {
  const names = [
    ...(manifests.some(({ permissions }) => permissions?.run === true) ? ["PATH"] : []),
    ...(manifests.some(({ permissions }) => (permissions?.network ?? []).length > 0) ? ["NODE_EXTRA_CA_CERTS"] : []),
  ];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]!]])),
  );
}

async function untilGivenUp<Value>(work: Promise<Value>, { givenUp }: CarrierEvents): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(givenUp.reason);
  if (givenUp.aborted) abort();
  givenUp.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    givenUp.removeEventListener("abort", abort);
  }
}

/** What the plugin contributes, as if it were here. */
function carried(lent: Contributions, process: PluginProcess, limits: IsolationLimits, leave: Stop): Contributions {
  if (typeof lent !== "object" || lent === null) return lent;
  const { steps, triggers, services, stop } = lent;
  return {
    ...(steps === undefined ? {} : { steps: members(steps, (step) => carriedStep(step, process, limits)) }),
    ...(triggers === undefined ? {} : { triggers: members(triggers, (trigger) => carriedTrigger(trigger, process)) }),
    ...(services === undefined ? {} : { services: services as Record<string, Service> }),
    stop:
      stop !== undefined && typeof stop !== "function"
        ? stop
        : async () => {
            try {
              await stop?.();
            } finally {
              await leave();
            }
          },
  };
}

function carriedStep(step: Step, process: PluginProcess, { deafAfterMs }: IsolationLimits): Step {
  const carry = (verb: "run" | "check" | "plan") => async (input: never, context: StepContext) => {
    const deaf = () =>
      process.fail(
        new GantryError(
          "PLUGIN_UNRESPONSIVE",
          `a step did not end within ${deafAfterMs / 1000} s though it was told to`,
        ),
      );
    const ended = watchAbort(context?.signal, deafAfterMs, deaf);
    try {
      return (await step[verb]!(input, lendStepContext(context, process) as StepContext)) as never;
    } finally {
      ended();
    }
  };
  if (typeof step !== "object" || step === null) return step;
  return Object.fromEntries(
    (["run", "check", "plan"] as const)
      .filter((verb) => typeof step[verb] === "function")
      .map((verb) => [verb, carry(verb)]),
  ) as unknown as Step;
}

/** Calls `deaf` that long after the abort, unless the returned function has been called before. */
function watchAbort(signal: AbortSignal | undefined, deafAfterMs: number, deaf: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    timer = setTimeout(deaf, deafAfterMs);
  };
  if (signal?.aborted) begin();
  else signal?.addEventListener("abort", begin, { once: true });
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", begin);
  };
}

function carriedTrigger(trigger: Trigger, process: PluginProcess): Trigger {
  if (typeof trigger?.start !== "function") return trigger;
  return {
    ...trigger,
    start: (options: never, emit: Emit, context: { workflow: string; log: Log }) =>
      trigger.start(options, lendEmit(emit), lendTriggerContext(context, process) as never),
  } as Trigger;
}

function members<Member>(given: Record<string, Member>, carry: (member: Member) => Member): Record<string, Member> {
  if (typeof given !== "object" || given === null) return given;
  return Object.fromEntries(Object.entries(given).map(([name, member]) => [name, carry(member)]));
}

let isIgnoring = false;

// Node opens its debugger to whoever sends this signal; a plugin that may use the network could then steer the host.
function ignoreDebuggerSignal(): void {
  if (isIgnoring) return;
  isIgnoring = true;
  process.on("SIGUSR1", () => {});
}
