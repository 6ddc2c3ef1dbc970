// A newcomer follows the tutorial of docs/plugins.md word by word, on the package as it is published: installs it into an
// empty folder, begins a plugin, tests it, uses it in a workflow over MQTT, changes it, breaks it, sees the host survive.
// Only what cannot be the same everywhere is another: the port, and packages come from here and not from a registry.

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { waitFor } from "../../host/testing/wait-for.ts";
import { listen } from "../support/listen.ts";
import { needs } from "../support/parts.ts";
import { type Deed, deedsBelow } from "./tutorial.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const deeds = deedsBelow(join(root, "docs/plugins.md"), "## From nothing to a working step");
let folder: string;
let port: string;
/** What runs in a terminal of its own. */
let terminal: { child: ChildProcess; output: string } | undefined;

before(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "gantry-newcomer-")));
  const staged = join(folder, "staged");
  execFileSync(process.execPath, [join(root, "scripts/stage.ts"), staged], { stdio: "pipe" });
  execFileSync("npm", ["pack", staged, "--pack-destination", folder], { stdio: "pipe" });
  rmSync(staged, { recursive: true });
  await using free = await listen(createServer());
  port = String(free.port);
});
after(async () => {
  await ctrlC();
  rmSync(folder, { recursive: true });
});

const environment: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  NO_COLOR: "1",
  npm_config_offline: "true",
  npm_config_omit: "optional",
  npm_config_update_notifier: "false",
  // Otherwise a test that is run by a test does nothing.
  NODE_TEST_CONTEXT: undefined,
};

/** As it is typed here. */
function asHere(text: string): string {
  const packages = (line: string) =>
    line.replaceAll(/ (typescript|@types\/node)\b/g, (_, name) => ` ${join(root, "node_modules", name)}`);
  return text
    .replaceAll("1883", port)
    .split("\n")
    .map((line) => (line.startsWith("npm install") ? packages(line) : line))
    .join("\n");
}

function open(command: string): void {
  // A group of its own, as a terminal's, so that Ctrl-C reaches all of it.
  const options = { cwd: folder, env: environment, detached: true } as const;
  const child = spawn("/bin/sh", ["-c", command], { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const opened = { child, output: "" };
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      opened.output += text;
    });
  terminal = opened;
}

async function ctrlC(): Promise<void> {
  if (terminal === undefined) return;
  const { child } = terminal;
  terminal = undefined;
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  process.kill(-child.pid!, "SIGINT");
  await ended;
}

/** Everything it printed; rejects where it does not end with 0, unless it only looks: what it saw may change yet. */
async function run(command: string): Promise<string> {
  const options = { cwd: folder, env: environment };
  const child = spawn("/bin/sh", ["-c", command], { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const [code] = (await once(child, "close")) as [number | null];
  if (!looksOnly.test(command))
    assert.equal(code, 0, `${command} ended with ${code}:\n${output}\n${terminal?.output ?? ""}`);
  return output;
}

const longLived = /^npx gantry (?:dev|up)$/;
/** Looking again changes nothing. */
const looksOnly = /^npx gantry (?:runs|plugin list)/;

function includes(output: string, line: string): boolean {
  const parts = line.split("…").map((part) => part.trim());
  return output.split("\n").some((printed) => {
    let at = 0;
    return parts.every((part) => {
      const found = printed.indexOf(part, at);
      at = found + part.length;
      return found !== -1;
    });
  });
}

test("who follows the tutorial has a tested plugin in service at its end", {
  skip: needs("mosquitto_pub"),
  timeout: 600_000,
}, async () => {
  assert.ok(deeds.length > 25, `only ${deeds.length} deeds`);
  let printed = "";
  let mark = 0;
  let last: string | undefined;
  const act: { [Kind in Deed["kind"]]: (deed: Extract<Deed, { kind: Kind }>) => Promise<void> | void } = {
    file({ path, text }) {
      mark = terminal?.output.length ?? 0;
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), asHere(text));
    },
    async commands({ lines }) {
      mark = terminal?.output.length ?? 0;
      printed = "";
      for (const line of lines.map(asHere)) {
        last = line;
        if (longLived.test(line)) {
          await ctrlC();
          mark = 0;
          open(line);
        } else printed += await run(line);
      }
    },
    async expected({ lines }) {
      const missing = async () => {
        const all = printed + (terminal?.output.slice(mark) ?? "");
        const absent = lines.map(asHere).filter((line) => !includes(all, line));
        if (absent.length > 0 && last !== undefined && looksOnly.test(last)) printed += await run(last);
        return absent;
      };
      const words = () => `${lines.join("\n")}\nafter ${last}, which printed\n${printed}\n${terminal?.output ?? ""}`;
      await waitFor(words, async () => (await missing()).length === 0, 120_000);
    },
  };
  for (const deed of deeds) await act[deed.kind](deed as never);
  assert.deepEqual(readdirSync(join(folder, "plugins/lamp")).sort(), [
    "NOTES.md",
    "README.md",
    "index.ts",
    "package.json",
    "plugin.json",
    "plugin.types.ts",
    "steps",
    "test",
    "tsconfig.json",
  ]);
});
