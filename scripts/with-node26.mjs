// Runs a file under the repository's own Node 26: node scripts/with-node26.mjs FILE [ARGUMENT...]
// Sets up node_modules first where it is missing or older than package-lock.json. Plain JavaScript for Node 18 and
// newer, with nothing installed yet.

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { basename, join } from "node:path";
import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";
import { withLock } from "./lock-file.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const ownNode = join(root, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");

/** The signal that this process has been sent. */
let told;

if (!isInstalled()) {
  await withLock(join(root, ".setup.lock"), async () => {
    // The one that held the lock before may have done it.
    if (told === undefined && !isInstalled()) await install();
  });
  if (told === undefined && !isInstalled()) fail("npm ci has not brought all packages of package-lock.json");
}
await end(
  await run(findNode(), process.argv.slice(2), {
    stdio: "inherit",
    env: { NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "gantry"), ...process.env },
  }),
);

/** npm writes node_modules/.package-lock.json last, so an installation cut short counts as none. */
function isInstalled() {
  let wanted;
  try {
    wanted = packagesOf("package-lock.json");
    const installed = packagesOf(join("node_modules", ".package-lock.json"));
    for (const [path, { version, optional }] of Object.entries(wanted)) {
      if (path === "" || (optional && installed[path] === undefined)) continue;
      if (installed[path]?.version !== version) return false;
    }
  } catch {
    return false;
  }
  const named = `node_modules/node-${process.platform}-${process.arch}`;
  return wanted[named] === undefined || existsSync(ownNode);
}

function packagesOf(file) {
  return JSON.parse(readFileSync(join(root, file), "utf8")).packages;
}

async function install() {
  process.stderr.write("setting up node_modules (npm ci)\n");
  const { npm_execpath: npmFile = "" } = process.env;
  const npm = basename(npmFile) === "npm-cli.js" ? [process.execPath, npmFile] : ["npm"];
  // Whatever the surroundings leave out by their settings is needed here.
  const args = [...npm.slice(1), "ci", "--include=dev", "--include=optional", "--loglevel=error"];
  const ended = await run(npm[0], args, { cwd: root, stdio: ["ignore", 2, 2], env: process.env });
  if (told === undefined && ended.code !== 0) fail("npm ci failed; its message stands above");
}

function findNode() {
  if (existsSync(ownNode)) return ownNode;
  if (Number(process.versions.node.split(".")[0]) >= 26) return process.execPath;
  return fail(
    `Gantry runs on Node 26, which its packages bring along for Linux on x64 and arm64 only; install Node 26 or newer on this machine (${process.platform} ${process.arch}), and run the same command with it`,
  );
}

/** Runs a program to its end and passes on the signals that this process gets. */
function run(program, args, options) {
  if (told !== undefined) return { code: null, signal: told };
  return new Promise((resolve) => {
    const child = spawn(program, args, options);
    const forwards = ["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => {
      const forward = () => {
        told = signal;
        // Ctrl-C reaches the whole group of the terminal; a second one would end a host before it has suspended.
        if (signal !== "SIGINT" || !isatty(0)) child.kill(signal);
      };
      process.on(signal, forward);
      return () => process.off(signal, forward);
    });
    const finish = (ended) => {
      for (const stop of forwards) stop();
      resolve(ended);
    };
    child.once("error", (error) => {
      process.stderr.write(`${program} cannot be started: ${error.message}\n`);
      finish({ code: 127, signal: null });
    });
    child.once("exit", (code, signal) => finish({ code, signal }));
  });
}

/** Ends this process as the other one ended. */
async function end({ code, signal }) {
  if (signal === null) process.exit(code);
  process.kill(process.pid, signal);
  // Where the signal does not end this process at once, as with one that only the system may send.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  process.exit(128 + constants.signals[signal]);
}

function fail(words) {
  process.stderr.write(`${words}\n`);
  process.exit(1);
}
