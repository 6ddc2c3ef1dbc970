// The `gantry` command: parses arguments and hands over to commands/, each of which is loaded only when it is called.

import { dirname, join } from "node:path";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { parseDuration } from "./duration.ts";
import { logLevels } from "./log-levels.ts";
import { type Kind, kinds, type Language, languages } from "./scaffold/templates/template.ts";
import type { Json } from "./sdk.ts";
import { type RunStatus, runStatuses } from "./store/store.ts";
import { watchOutput } from "./terminal/output.ts";

const config = new Option("--config <file>", "the configuration file").default("plugins.json");
const data = new Option("--data <folder>", "the data folder; default: data beside the configuration file");
const logLevel = new Option("--log-level <level>", "what is logged").choices(logLevels).default("info");
const quietLog = new Option("--log-level <level>", "what is logged").choices(logLevels).default("warn");
const json = new Option("--json", "one JSON object a line on standard output").default(false);
const input = new Option("--input <file>", "JSON file with the input; - is standard input");

interface Common {
  config: string;
  data?: string;
  logLevel: string;
  json: boolean;
}

/** The options of a command, with its data folder. */
const located = <Options extends Common>(options: Options) => ({
  ...options,
  data: options.data ?? join(dirname(options.config), "data"),
});
let exitCode = 0;

const program = new Command("gantry")
  .description("Runs declarative JSON workflows on edge devices.")
  .version(packageJson.version, "-V, --version")
  .exitOverride()
  .showSuggestionAfterError();

program
  .command("up")
  .description("start the host; SIGTERM or Ctrl-C suspends its runs and ends it")
  .addOption(config)
  .addOption(data)
  .addOption(logLevel)
  .action(async (options: Common) => {
    const { up } = await import("./commands/up.ts");
    exitCode = await up(located(options));
  });

program
  .command("validate [files...]")
  .description(
    "check the configuration, its plugins' manifests and all workflows, or the named documents; starts nothing",
  )
  .addOption(config)
  .addOption(json)
  .action(async (files: string[], options: Common) => {
    const { validate } = await import("./commands/validate.ts");
    exitCode = validate(files, options);
  });

program
  .command("schema")
  .description("one JSON Schema for workflows, made of the loaded plugins, for editors; to standard output")
  .addOption(config)
  .action(async (options: Common) => {
    const { schema } = await import("./commands/schema.ts");
    exitCode = await schema(options);
  });

program
  .command("format <file...>")
  .description("writes documents in one layout, and changes nothing else in them")
  .option("--check", "writes nothing; fails where the layout is another one", false)
  .action(async (files: string[], options: { check: boolean }) => {
    const { format } = await import("./commands/format.ts");
    exitCode = await format(files, options);
  });

program
  .command("run <workflow>")
  .description("one run of a workflow (a file, or a name), watched; a running host carries it out, if there is one")
  .addOption(input)
  .addOption(config)
  .addOption(data)
  .addOption(quietLog)
  .addOption(json)
  .action(async (workflow: string, options: Common & { input?: string }) => {
    const { run } = await import("./commands/run.ts");
    exitCode = await run(workflow, located(options));
  });

program
  .command("plan <workflow>")
  .description("what a run of a workflow (a file, or a name) would do, step by step; changes nothing")
  .addOption(input)
  .addOption(config)
  .addOption(data)
  .addOption(quietLog)
  .addOption(json)
  .action(async (workflow: string, options: Common & { input?: string }) => {
    const { plan } = await import("./commands/plan.ts");
    exitCode = await plan(workflow, located(options));
  });

program
  .command("runs")
  .description("list runs, newest first")
  .addOption(config)
  .addOption(data)
  .addOption(json)
  .option("--workflow <name>", "only runs of this workflow")
  .addOption(new Option("--status <status...>", "only runs with one of these states").choices(runStatuses))
  .option("--limit <count>", "how many at most", positiveInteger, 50)
  .option("--follow", "go on with a line for each run that begins or changes, until Ctrl-C", false)
  .action(async (options: Common & { workflow?: string; status?: RunStatus[]; limit: number; follow: boolean }) => {
    const { runs } = await import("./commands/runs.ts");
    exitCode = await runs(located(options));
  });

program
  .command("show <run>")
  .description("show one run, step by step; the beginning of its id is enough")
  .addOption(config)
  .addOption(data)
  .addOption(json)
  .option("--all", "show every item of long loops", false)
  .action(async (id: string, options: Common & { all: boolean }) => {
    const { show } = await import("./commands/show.ts");
    exitCode = show(id, located(options));
  });

program
  .command("cancel <run>")
  .description("end a run, with its clean-up; the beginning of its id is enough")
  .addOption(config)
  .addOption(data)
  .addOption(json)
  .action(async (id: string, options: Common) => {
    const { cancel } = await import("./commands/cancel.ts");
    exitCode = await cancel(id, located(options));
  });

program
  .command("retry <run>")
  .description("run once more what has ended, with the same input, watched; the beginning of its id is enough")
  .addOption(config)
  .addOption(data)
  .addOption(quietLog)
  .addOption(json)
  .action(async (id: string, options: Common) => {
    const { retry } = await import("./commands/retry.ts");
    exitCode = await retry(id, located(options));
  });

program
  .command("signal <name>")
  .description("say something to the runs that wait for it (host/wait, abortOn)")
  .option("--value <json>", "what they are told, as JSON", jsonValue, null)
  .addOption(config)
  .addOption(data)
  .addOption(json)
  .action(async (name: string, options: Common & { value: Json }) => {
    const { signal } = await import("./commands/signal.ts");
    exitCode = await signal(name, located(options));
  });

program
  .command("dev")
  .description("a host for the author of plugins: what changes in their files and in workflows takes effect at once")
  .addOption(config)
  .addOption(data)
  .addOption(logLevel)
  .addOption(json)
  .option("--step <plugin/step>", "runs this step at the start and after each change, instead of what ran last")
  .addOption(input)
  .option("--no-repeat", "runs no step again by itself")
  .option("--patience <duration>", "how long steps may go on when their plugin is replaced", duration, 10_000)
  .action(async (options: Common & { step?: string; input?: string; repeat: boolean; patience: number }) => {
    const { dev } = await import("./commands/dev.ts");
    exitCode = await dev(located(options));
  });

const plugin = program.command("plugin").description("begins and looks at plugins");

plugin
  .command("new <name>")
  .description("begins a plugin: a folder with manifest, typed code, a test and a README")
  .addOption(new Option("--kind <kind>", "what it contributes").choices(kinds).default("step"))
  .addOption(new Option("--language <language>", "what it is written in").choices(languages).default("typescript"))
  .option("--in <folder>", "where its folder is made", "plugins")
  .addOption(json)
  .action(async (name: string, options: { kind: Kind; language: Language; in: string; json: boolean }) => {
    const { pluginNew } = await import("./commands/plugin-new.ts");
    exitCode = await pluginNew(name, options);
  });

plugin
  .command("types <folder>")
  .description(
    "writes the TypeScript types of a plugin's configuration, steps, triggers and services beside its plugin.json",
  )
  .option("--check", "writes nothing; fails where they are not up to date", false)
  .action(async (folder: string, options: { check: boolean }) => {
    const { pluginTypes } = await import("./commands/plugin-types.ts");
    exitCode = await pluginTypes(folder, options);
  });

plugin
  .command("list")
  .description("the plugins, their state, and why one does not work")
  .addOption(config)
  .addOption(data)
  .addOption(json)
  .action(async (options: Common) => {
    const { pluginList } = await import("./commands/plugin-list.ts");
    exitCode = await pluginList(located(options));
  });

plugin
  .command("accept <name>")
  .description("take the files of a plugin from outside as they are now")
  .addOption(config)
  .addOption(data)
  .addOption(json)
  .action(async (name: string, options: Common) => {
    const { pluginAccept } = await import("./commands/plugin-accept.ts");
    exitCode = await pluginAccept(name, located(options));
  });

plugin
  .command("test <folder>")
  .description("whether a plugin keeps the contract: tries its examples on a real host, kills that and aborts them")
  .option("--in-process", "also in the host's process, with the host's rights (Gantry's own always are)", false)
  .option("--with <plugin>", "another plugin that it needs, a folder or a name; may be repeated", collect, [])
  .addOption(json)
  .action(async (folder: string, options: { json: boolean; inProcess: boolean; with: string[] }) => {
    const { pluginTest } = await import("./commands/plugin-test.ts");
    exitCode = await pluginTest(folder, options);
  });

program
  .command("doctor")
  .description("what is missing on this machine or in the data folder, and how to get it")
  .addOption(config)
  .addOption(data)
  .addOption(json)
  .action(async (options: Common) => {
    const { doctor } = await import("./commands/doctor.ts");
    exitCode = await doctor(located(options));
  });

watchOutput();
try {
  await program.parseAsync();
  process.exitCode = exitCode;
} catch (error) {
  // Commander has said what is wrong; asking for help or the version is no error.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    const { reportFailure } = await import("./commands/report-failure.ts");
    process.exitCode = reportFailure(error);
  }
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("It must be a whole number above zero.");
}

function duration(text: string): number {
  const value = parseDuration(text);
  if (value !== undefined) return value;
  throw new InvalidArgumentError("It must be a duration such as 500ms, 10s or 1m30s.");
}

function jsonValue(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new InvalidArgumentError(`It must be JSON; a text has quotes: '"yes"'.`);
  }
}

/** An option that may be given several times. */
function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
