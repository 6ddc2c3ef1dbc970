// docs/software-update.md tells how to change the shipped documents; here that is done, to the letter, and used.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { waitFor } from "../../host/testing/wait-for.ts";
import { Backend, shipped } from "../plugins/software-update/backend.ts";
import { needs } from "../support/parts.ts";

interface Step {
  id?: string;
  forEach?: string;
  steps?: Step[];
}
interface Document {
  name: string;
  on: { trigger: string; with: { operation: string } }[];
  vars: { messages: Record<string, string> };
  steps: Step[];
}

const page = readFileSync(fileURLToPath(new URL("../../docs/software-update.md", import.meta.url)), "utf8");
const examples = [...page.matchAll(/^```json\n(.*?)^```$/gms)].map(
  ([, text]) => JSON.parse(text!) as Record<string, unknown>,
);
const example = (isIt: (value: Record<string, unknown>) => boolean) => {
  const found = examples.filter(isIt);
  assert.equal(found.length, 1, JSON.stringify(found));
  return found[0]!;
};

const install = () => shipped("software-install") as unknown as Document;

/** The list that holds the step, at whatever depth, and where it is. */
function placeOf(id: string, steps: Step[]): { list: Step[]; index: number } | undefined {
  const index = steps.findIndex((step) => step.id === id);
  if (index >= 0) return { list: steps, index };
  return steps.map((step) => placeOf(id, step.steps ?? [])).find((found) => found !== undefined);
}
function behind(document: Document, id: string, step: object): void {
  const { list, index } = placeOf(id, document.steps)!;
  list.splice(index + 1, 0, step as Step);
}

/** "Ask for a health check, and take back what is not healthy". */
function withHealthCheck(): Document {
  const document = install();
  behind(
    document,
    "script",
    example(({ id }) => id === "health"),
  );
  const { list, index } = placeOf("script", document.steps)!;
  Object.assign(
    list[index]!,
    example(({ undo }) => undo !== undefined),
  );
  Object.assign(
    document.vars.messages,
    example(({ health }) => typeof health === "string"),
  );
  return document;
}

/** "One line each", under operations of their own. */
function withOneLine(operation: string, change: (document: Document) => void): Document {
  const document = install();
  change(document);
  return { ...document, name: operation, on: [{ ...document.on[0]!, with: { ...document.on[0]!.with, operation } }] };
}

let backend: Backend;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "gantry-author-"));
  const publicKeys: string[] = [];
  if (needs("openssl") === false) {
    openssl("genpkey", "-algorithm", "ed25519", "-out", "private.pem");
    openssl("pkey", "-in", "private.pem", "-pubout", "-out", "public.pem");
    publicKeys.push(join(folder, "public.pem"));
  }
  const isWindow = (value: Record<string, unknown>, from: string) => JSON.stringify(value.window ?? "").includes(from);
  const workflows = {
    "software-install": withHealthCheck(),
    "software-cancel": shipped("software-cancel"),
    asked: withOneLine("asked", (document) =>
      Object.assign(
        document,
        example((value) => isWindow(value, "metadata")),
      ),
    ),
    nightly: withOneLine("nightly", (document) =>
      Object.assign(
        document,
        example((value) => isWindow(value, "01:00")),
      ),
    ),
    limited: withOneLine("limited", (document) =>
      Object.assign(
        document,
        example(({ limits }) => limits !== undefined),
      ),
    ),
    signed: withOneLine("signed", (document) =>
      behind(
        document,
        "copy",
        example(({ id }) => id === "signature"),
      ),
    ),
  };
  const plugins = [{ plugin: "verify", config: publicKeys.length === 0 ? {} : { publicKeys } }];
  backend = await Backend.start({ workflows, plugins, environment: { TZ: noon() } });
});
after(async () => {
  await backend?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** A time zone in which it is about noon. */
function noon(): string {
  const offset = 12 - new Date().getUTCHours();
  return `Etc/GMT${offset > 0 ? "-" : "+"}${Math.abs(offset)}`;
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
}
const place = (name: string) => join(folder, name);
const said = (name: string) => readFileSync(place(name), "utf8").trim().split("\n");

const canceled = /FINISHED_CANCELED the operation was canceled/;

/** A module whose health is what the script says. */
const checked = (name: string, health: string, script = "true") =>
  backend.module(
    name,
    Object.entries({
      "install.sh": `echo install >> ${place(name)}; ${script}`,
      "health.sh": `echo health >> ${place(name)}; ${health}`,
      "undo.sh": `echo undo >> ${place(name)}`,
    }).map(([filename, content]) => ({ filename, content })),
    { "artifact-type": "plain" },
  );

test("a health check is made after the script, and what is not healthy is taken back", {
  timeout: 120_000,
}, async () => {
  const slow = `test $(grep -c health ${place("slow")}) = 2`;
  await backend.install(
    "h",
    checked("well", "true"),
    checked("slow", slow),
    checked("ill", "exit 1"),
    checked("broken", "true", "exit 4"),
    checked("last", "true"),
  );
  await backend.finished("h", 5);
  assert.deepEqual(said("well"), ["install", "health"]);
  assert.deepEqual(said("slow"), ["install", "health", "health"]);
  assert.deepEqual(said("ill"), ["install", "health", "health", "health", "undo"]);
  assert.deepEqual(said("broken"), ["install", "undo"]);
  const ends = backend.sequence("h").filter((line) => line.includes("FINISHED_"));
  assert.deepEqual(ends, [
    "well FINISHED_SUCCESS",
    "slow FINISHED_SUCCESS",
    "ill !FINISHED_ERROR 1 the software does not answer",
    "ill FINISHED_ERROR 1 the software does not answer",
    "broken !FINISHED_ERROR 4 fail to execute install script",
    "broken FINISHED_ERROR 4 fail to execute install script",
    "last FINISHED_SUCCESS",
  ]);
  assert.ok(!backend.sequence("h").includes("ill INSTALLED 100"));
});

test("with one line more an operation waits for the time that the command names", { timeout: 120_000 }, async () => {
  const softwareModules = [backend.scripted("late", `touch ${place("late")}`)];
  await backend.order("asked", "w1", { softwareModules, metadata: { from: "22:00", to: "02:00" } });
  await backend.device.texts("command///res/r-w1/204", 1);
  await backend.order("cancel", "w1", {});
  // Cleaning up is not held back.
  // It may still have waited for its turn, too.
  assert.match((await backend.finished("w1")).at(-1)!, canceled);
  assert.ok(!existsSync(place("late")));
  await backend.order("asked", "w2", { softwareModules });
  assert.equal((await backend.finished("w2")).at(-1), "late FINISHED_SUCCESS");
});

test("with one line more a window and a limit hold for every operation", { timeout: 120_000 }, async () => {
  const softwareModules = [backend.scripted("night", "true")];
  await backend.order("nightly", "n1", { softwareModules });
  await backend.device.texts("command///res/r-n1/204", 1);
  await backend.order("cancel", "n1", {});
  assert.match((await backend.finished("n1")).at(-1)!, canceled);
  await backend.order("limited", "l1", { softwareModules });
  assert.equal((await backend.finished("l1")).at(-1), "night FINISHED_SUCCESS");
});

test("with one line more an artifact must be signed", { skip: needs("openssl"), timeout: 120_000 }, async () => {
  const content = `touch ${place("signed")}`;
  writeFileSync(place("script"), content);
  openssl("pkeyutl", "-sign", "-inkey", "private.pem", "-rawin", "-in", "script", "-out", "script.sig");
  const signature = readFileSync(place("script.sig")).toString("base64");
  const signedBy = (name: string, text: string, metaData: Record<string, string>) =>
    backend.module(name, [{ filename: "install.sh", content: text }], { "artifact-type": "plain", ...metaData });
  const softwareModules = [
    signedBy("unsigned", content, {}),
    signedBy("other", `${content} `, { "signature.install.sh": signature }),
    signedBy("named", content, { "signature.other.sh": signature }),
  ];
  await backend.order("signed", "g1", { softwareModules });
  await backend.finished("g1", 3);
  for (const name of ["unsigned", "other", "named"])
    assert.ok(backend.sequence("g1").includes(`${name} FINISHED_ERROR fail to download module`), name);
  assert.ok(!existsSync(place("signed")));
  await backend.order("signed", "g2", {
    softwareModules: [signedBy("right", content, { "signature.install.sh": signature })],
  });
  assert.equal((await backend.finished("g2")).at(-1), "right FINISHED_SUCCESS");
  await waitFor("the script's work", () => existsSync(place("signed")));
});
