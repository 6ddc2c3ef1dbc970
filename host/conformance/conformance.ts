// Whether a plugin keeps the contract: what `gantry plugin test` does.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { faultCatalogue } from "../documents/fault.ts";
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
  /** Other plugins that it needs: names or folders. */
  others: readonly string[];
  /** Told of each finding as soon as it is there. */
  report: Report;
}

/** Here nobody has a plugins.json that it could stand in. */
const remedyOfMissing = "Name the folder of the plugin that is or provides it, `--with FOLDER`, or correct `requires`.";

/** Tries the plugin in this folder. */
export async function testPlugin(folder: string, options: ConformanceOptions): Promise<void> {
  const { report } = options;
  const { plugin, faults } = inspect(folder, options.others);
  if (plugin === undefined) {
    for (const { file, line, column, code, message } of faults) {
      const remedy = code === "REQUIREMENT_UNKNOWN" ? remedyOfMissing : faultCatalogue[code].remedy;
      report({
        check: "manifest",
        outcome: "failed",
        about: "",
        message: `${file}:${line}:${column} ${message}`,
        code,
        remedy,
      });
    }
    return;
  }
  report(passed({ check: "manifest", about: "" }));
  checkReadme(plugin.directory, plugin.manifest).forEach(report);
  const examples = examplesOf(plugin.manifest);
  await sideBySide(report, [
    async (tell) => (await checkImport(plugin)).forEach(tell),
    async (tell) => withoutExamples(plugin, examples).forEach(tell),
    (tell) => tryInProcessOfItsOwn(plugin, examples, tell),
    (tell) => tryInHostsProcess(plugin, examples, options.inProcess, tell),
  ]);
}

/** Each works on a host of its own, so they need not wait for each other; what they find is told in their order. */
async function sideBySide(report: Report, works: ((tell: Report) => Promise<void>)[]): Promise<void> {
  const queues = works.map((): Finding[] => []);
  const done = new Set<number>();
  let current = 0;
  const tell = () => {
    for (; current < works.length; current++) {
      for (const finding of queues[current]!.splice(0)) report(finding);
      if (!done.has(current)) return;
    }
  };
  await Promise.all(
    works.map(async (work, index) => {
      await work((finding) => {
        queues[index]!.push(finding);
        tell();
      });
      done.add(index);
      tell();
    }),
  );
}

async function tryInProcessOfItsOwn(plugin: TriedPlugin, examples: Example[], report: Report): Promise<void> {
  const { inProcessOnly } = plugin.manifest;
  if (inProcessOnly === undefined) return tryCarrier(plugin, "process", examples, report);
  report(notExercised({ check: "start", about: "", carrier: "process" }, inProcessOnly));
}

async function tryInHostsProcess(
  plugin: TriedPlugin,
  examples: Example[],
  asked: boolean,
  report: Report,
): Promise<void> {
  if (asked || plugin.builtIn) return tryCarrier(plugin, "in-process", examples, report);
  if (plugin.manifest.inProcessOnly === undefined) return;
  const about = { check: "start", about: "", carrier: "in-process" as const };
  report(failed(about, "CONFORMANCE_START", "it can run in the host's process only, which --in-process allows"));
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
