// The `gantry` command: parses arguments and hands over to commands/, each of which is loaded only when it is called.

import { dirname, join } from "node:path";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { logLevels } from "./log-levels.ts";
import { type RunStatus, runStatuses } from "./store/store.ts";
import { watchOutput } from "./terminal/output.ts";

const config = new Option("--config <file>", "the configuration file").default("plugins.json");
const data = new Option("--data <folder>", "the data folder; default: data beside the configuration file");
const logLevel = new Option("--log-level <level>", "what is logged").choices(logLevels).default("info");
const json = new Option("--json", "one JSON object a line on standard output").default(false);

interface Common {
  config: string;
  data?: string;
  logLevel: string;
  json: boolean;
}

const dataFolder = ({ config: file, data: folder }: Common) => folder ?? join(dirname(file), "data");
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
    exitCode = await up({ config: options.config, data: dataFolder(options), logLevel: options.logLevel });
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
  .command("run <workflow>")
  .description("one run of a workflow (a file, or a name) in the foreground")
  .option("--input <file>", "JSON file with the input; - is standard input")
  .addOption(config)
  .addOption(data)
  .addOption(new Option("--log-level <level>", "what is logged").choices(logLevels).default("warn"))
  .addOption(json)
  .action(async (workflow: string, options: Common & { input?: string }) => {
    const { run } = await import("./commands/run.ts");
    exitCode = await run(workflow, { ...options, data: dataFolder(options) });
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
  .action(async (options: Common & { workflow?: string; status?: RunStatus[]; limit: number }) => {
    const { runs } = await import("./commands/runs.ts");
    exitCode = runs({ ...options, data: dataFolder(options) });
  });

program
  .command("show <run>")
  .description("show one run, step by step; the beginning of its id is enough")
  .addOption(config)
  .addOption(data)
  .addOption(json)
  .action(async (id: string, options: Common) => {
    const { show } = await import("./commands/show.ts");
    exitCode = show(id, { ...options, data: dataFolder(options) });
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
