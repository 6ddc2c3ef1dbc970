// Whether a plugin keeps the contract: what `gantry plugin test` does.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { JsonObject } from "../sdk.ts";
import { checkImport } from "./check-import.ts";
import { checkReadme } from "./check-readme.ts";
import { type Example, examplesOf } from "./examples.ts";
import { type Carrier, type Finding, failed, notExercised, passed, type Report } from "./finding.ts";
import { inspect, type TriedPlugin } from "./inspect.ts";
import { tryGroup } from "./try-group.ts";

export interface ConformanceOptions {
  /** Also in the host's process, with the host's rights; Gantry's own plugins always are. */
  inProcess: boolean;
  /** Told of each finding as soon as it is there. */
  report: Report;
}

/** Tries the plugin in this folder. */
export async function testPlugin(folder: string, { inProcess, report }: ConformanceOptions): Promise<void> {
  const tell = (findings: Finding[]) => findings.forEach(report);
  const { plugin, faults } = inspect(folder);
  if (plugin === undefined) {
    for (const { file, line, column, code, message } of faults)
      report({
        check: "manifest",
        outcome: "failed",
        about: "",
        message: `${file}:${line}:${column} ${message}`,
        code,
      });
    return;
  }
  report(passed({ check: "manifest", about: "" }));
  tell(checkReadme(plugin.directory, plugin.manifest));
  tell(await checkImport(plugin));
  const examples = examplesOf(plugin.manifest);
  tell(withoutExamples(plugin, examples));
  const { inProcessOnly } = plugin.manifest;
  if (inProcessOnly === undefined) await tryCarrier(plugin, "process", examples, report);
  else report(notExercised({ check: "start", about: "", carrier: "process" }, inProcessOnly));
  if (inProcess || plugin.builtIn) await tryCarrier(plugin, "in-process", examples, report);
  else if (inProcessOnly !== undefined) {
    const about = { check: "start", about: "", carrier: "in-process" as const };
    report(failed(about, "CONFORMANCE_START", "it can run in the host's process only, which --in-process allows"));
  }
}

/** What nobody has given an example of, and what has no place for one. */
function withoutExamples({ manifest }: TriedPlugin, examples: Example[]): Finding[] {
  const { name, steps = {}, triggers = {}, provides = {} } = manifest;
  const missing = Object.keys(steps).filter((step) => !examples.some(({ uses }) => uses === `${name}/${step}`));
  const named = [
    ...Object.keys(triggers).map((trigger) => `${name}/${trigger} (trigger)`),
    ...Object.keys(provides).map((service) => `${service} (service)`),
  ];
  return [
    ...missing.map((step) =>
      failed({ check: "example", about: `${name}/${step}` }, "CONFORMANCE_NO_EXAMPLE", "it has no example"),
    ),
    ...named.map((about) => notExercised({ check: "example", about }, "only that it is there")),
  ];
}

/** Examples with the same configuration share a host. */
async function tryCarrier(plugin: TriedPlugin, carrier: Carrier, examples: Example[], report: Report): Promise<void> {
  const groups = Map.groupBy(examples, ({ config = {} }) => JSON.stringify(config));
  if (groups.size === 0) groups.set("{}", []);
  for (const [config, group] of groups) {
    const { able = [], unable = [] } = Object.groupBy(group, (example) => (reasonNot(example) ? "unable" : "able"));
    for (const example of unable)
      report(notExercised({ check: "example", about: example.about, carrier }, reasonNot(example)!));
    await tryGroup({ plugin, carrier, config: JSON.parse(config) as JsonObject, examples: able, report });
  }
}

/** Why an example cannot be tried here, if that is so. */
function reasonNot({ untried, needs = [] }: Example): string | undefined {
  if (untried !== undefined) return untried;
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  const missing = needs.filter((program) => !folders.some((folder) => existsSync(join(folder, program))));
  return missing.length === 0 ? undefined : `it needs ${missing.join(", ")}, which is not installed`;
}
