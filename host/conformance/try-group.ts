// The examples that share a configuration, on one host, and what showed itself of the plugin's process meanwhile.

import { toFailure } from "../errors.ts";
import { defaultLimits } from "../isolation/limits.ts";
import type { JsonObject } from "../sdk.ts";
import { PluginsNotActive } from "../testing/lives.ts";
import { checkExample } from "./check-example.ts";
import { checkRepeat, type Undisturbed } from "./check-repeat.ts";
import type { Example } from "./examples.ts";
import { type Carrier, type Finding, failed, judge, notExercised, passed, type Report } from "./finding.ts";
import type { TriedPlugin } from "./inspect.ts";
import { Trial } from "./trial.ts";

export interface Group {
  plugin: TriedPlugin;
  carrier: Carrier;
  config: JsonObject;
  examples: Example[];
  report: Report;
}

export async function tryGroup({ plugin, carrier, config, examples, report }: Group): Promise<void> {
  const start = { check: "start", about: "", carrier };
  let trial: Trial;
  try {
    trial = await Trial.begin(plugin, carrier, config, examples);
  } catch (error) {
    const unavailable = unavailableHere(error, plugin);
    report(
      unavailable === undefined
        ? failed(start, "CONFORMANCE_START", (error as Error).message)
        : notExercised(start, unavailable),
    );
    for (const { about } of examples) report(notExercised({ check: "example", about, carrier }, "it does not start"));
    return;
  }
  await using begun = trial;
  report(passed(start));
  await tryExamples(begun, examples, report);
  if (carrier === "process") for (const finding of await processFindings(begun, examples.length)) report(finding);
}

/** Why the plugin itself says that it cannot work on this machine, if it does; that is no fault of it. */
function unavailableHere(error: unknown, { manifest }: TriedPlugin): string | undefined {
  if (!(error instanceof PluginsNotActive)) return undefined;
  const own = error.plugins.find(({ name }) => name === manifest.name);
  if (own?.state !== "unavailable" || own.code !== "PLUGIN_UNAVAILABLE") return undefined;
  return ["it is unavailable on this machine", own.reason, own.remedy].filter((part) => part !== undefined).join(": ");
}

async function tryExamples(trial: Trial, examples: Example[], report: Report): Promise<void> {
  const { carrier } = trial;
  const undisturbed: Undisturbed[] = [];
  for (const [index, example] of examples.entries()) {
    const problem = await problemOf(async () => {
      const checked = await checkExample(trial, example);
      checked.findings.forEach(report);
      if (checked.undisturbed !== undefined) undisturbed.push(checked.undisturbed);
    });
    if (problem === undefined) continue;
    report(failed({ check: "example", about: example.about, carrier }, "CONFORMANCE_EXAMPLE", problem));
    const untried = [...examples.slice(index + 1), ...undisturbed.map(({ example }) => example)];
    for (const { about } of untried)
      report(
        notExercised({ check: "example", about, carrier }, "another example has left the host in no state for it"),
      );
    return;
  }
  const problem = await problemOf(async () => (await checkRepeat(trial, undisturbed)).forEach(report));
  if (problem !== undefined) report(failed({ check: "repeat", about: "", carrier }, "CONFORMANCE_REPEAT", problem));
}

/** What keeps the host from going on, if anything does. */
async function problemOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    const { code, message } = toFailure(error);
    return `${message} (${code})`;
  }
}

async function processFindings(trial: Trial, examples: number): Promise<Finding[]> {
  const { plugin, carrier, host } = trial;
  const about = (check: string) => ({ check, about: "", carrier });
  if (examples === 0)
    return ["permissions", "memory"].map((check) => notExercised(about(check), "no example was tried"));
  await trial.notePeak().catch(() => {});
  const { name, memoryLimitMb: limitMb = defaultLimits.memoryMb } = plugin.manifest;
  const said = (wanted: string) =>
    host.log.filter((line) => line.plugin === name && line.code === wanted).map(({ msg }) => msg);
  const tooMuch = said("PLUGIN_MEMORY");
  if (trial.peakMb > limitMb) tooMuch.push(`it has held ${trial.peakMb} MB, and ${limitMb} MB are declared`);
  return [
    ...judge(about("permissions"), "CONFORMANCE_PERMISSION", [...new Set(said("PERMISSION_DENIED"))]),
    ...judge(about("memory"), "CONFORMANCE_MEMORY", [...new Set(tooMuch)]),
  ];
}
