// The examples that share a configuration, on one host, and what showed itself of the plugin's process meanwhile.

import { toFailure } from "../errors.ts";
import { defaultLimits } from "../isolation/limits.ts";
import type { JsonObject } from "../sdk.ts";
import { checkExample } from "./check-example.ts";
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
    report(failed(start, "CONFORMANCE_START", (error as Error).message));
    for (const { about } of examples) report(notExercised({ check: "example", about, carrier }, "it does not start"));
    return;
  }
  await using begun = trial;
  report(passed(start));
  for (const [index, example] of examples.entries()) {
    const problem = await tryOne(begun, example, report);
    if (problem === undefined) continue;
    report(failed({ check: "example", about: example.about, carrier }, "CONFORMANCE_EXAMPLE", problem));
    for (const { about } of examples.slice(index + 1))
      report(
        notExercised({ check: "example", about, carrier }, "what comes before has left the host in no state for it"),
      );
    break;
  }
  if (carrier === "process") for (const finding of await processFindings(begun, examples.length)) report(finding);
}

/** What keeps the host from going on, if anything does. */
async function tryOne(trial: Trial, example: Example, report: Report): Promise<string | undefined> {
  try {
    for (const finding of await checkExample(trial, example)) report(finding);
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
