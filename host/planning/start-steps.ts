// Steps that can say what they would do, without a host.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";
import type { FindStep, LoadedWorkflow } from "../engine/workflow.ts";
import { activatePlugins } from "../loading/activate.ts";
import type { InstalledPlugin } from "../loading/installed-plugin.ts";
import { hostPlugin } from "../loading/locate-plugin.ts";
import type { HostDocuments } from "../loading/read-host.ts";
import type { HostLog } from "../log.ts";
import { openStore } from "../store/open.ts";

/**
 * Starts those plugins of the workflow that hold nothing outside themselves: Gantry's own without services and triggers.
 * The others would connect somewhere, or listen. They work in a data folder that is thrown away.
 */
export async function startSteps(
  workflow: LoadedWorkflow,
  documents: HostDocuments,
  log: HostLog,
): Promise<{ findStep: FindStep } & AsyncDisposable> {
  const used = new Set([workflow, ...workflow.calls.values()].flatMap(({ document }) => pluginsOf(document)));
  const plugins = documents.plugins.filter((plugin) => used.has(plugin.name) && leavesNoTrace(plugin));
  await using started = new AsyncDisposableStack();
  const dataDirectory = await mkdtemp(join(tmpdir(), "gantry-plan-"));
  started.defer(() => rm(dataDirectory, { recursive: true }));
  const store = await openStore(dataDirectory);
  started.defer(() => store.close());
  const active = await activatePlugins({ ...documents, plugins }, { store, log, dataDirectory });
  started.defer(() => active.stop());
  const kept = started.move();
  return { findStep: active.findStep, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function leavesNoTrace({ name, builtIn, manifest, requiredPlugins, refusal }: InstalledPlugin): boolean {
  if (name === hostPlugin.name) return true;
  const holds = Object.keys({ ...manifest.provides, ...manifest.triggers }).length > 0;
  return builtIn && refusal === undefined && !holds && requiredPlugins.length === 0;
}

/** The names of all plugins whose steps a document uses, wherever it does. */
function pluginsOf({
  steps,
  onFailure = [],
  finally: always = [],
}: Pick<Workflow, "steps" | "onFailure" | "finally">): string[] {
  return [...steps, ...onFailure, ...always].flatMap((step: WorkflowStep) => [
    ...(step.uses === undefined ? [] : [step.uses.split("/")[0]!]),
    ...pluginsOf({ ...step, steps: [...(step.steps ?? []), ...(step.parallel ?? []).flat()] }),
  ]);
}
