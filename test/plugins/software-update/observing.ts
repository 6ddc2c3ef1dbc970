// What can be seen from outside of documents that were edited: one host has them all, each under an operation of its own.

import { createCipheriv, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { JsonObject } from "../../../host/sdk.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import type { Workflow } from "../../../schemas/workflow.types.ts";
import { treeOf } from "../../support/tree-of.ts";
import { endOfTar, tarOf } from "../archive/tar-bytes.ts";
import { Backend, shipped } from "./backend.ts";
import { type Edit, edited, type Place, placesOf } from "./edits.ts";

export const names = ["software-install", "software-download", "software-remove", "software-cancel"] as const;
export type Name = (typeof names)[number];

export interface Variant {
  document: Name;
  /** Undefined: as shipped. */
  place?: Place;
  edit?: Edit;
  operation: string;
}

/** All documents as shipped, then each of their steps deleted, repeated and moved. */
export function allVariants(): Variant[] {
  const found: Omit<Variant, "operation">[] = names.map((document) => ({ document }));
  for (const document of names) {
    const whole = shipped(document) as unknown as Workflow;
    for (const place of placesOf(whole))
      for (const edit of ["deleted", "repeated", "moved"] as const)
        if (edited(whole, place, edit) !== undefined) found.push({ document, place, edit });
  }
  return found.map((variant, index) => ({ ...variant, operation: `variant-${index}` }));
}

function documentOf({ document, place, edit, operation }: Variant): object {
  const whole = shipped(document) as unknown as Workflow;
  const copy = place === undefined ? whole : edited(whole, place, edit!)!;
  return {
    ...copy,
    name: operation,
    on: [{ trigger: "things/command", with: { feature: "SoftwareUpdatable", operation } }],
  };
}

export class Observer implements AsyncDisposable {
  readonly #backend: Backend;
  readonly #folder: string;
  #count = 0;

  private constructor(backend: Backend, folder: string) {
    this.#backend = backend;
    this.#folder = folder;
  }

  static async start(variants: Variant[]): Promise<Observer> {
    const folder = mkdtempSync(join(tmpdir(), "gantry-variants-"));
    mkdirSync(join(folder, "dir"));
    const workflows = {
      ...Object.fromEntries(names.map((name) => [name, shipped(name)])),
      ...Object.fromEntries(variants.map((variant) => [variant.operation, documentOf(variant)])),
    };
    const settings = { installDirs: [join(folder, "dir")], storageLocation: join(folder, "storage") };
    // An edit may leave a fault behind, which is for the run to find.
    return new Observer(await Backend.start({ workflows, settings, faulty: true }), folder);
  }

  /** Everything that an observer sees of what this document is for. */
  async observe({ document, operation }: Variant): Promise<unknown> {
    const backend = this.#backend;
    const run = `${++this.#count}`;
    const since = backend.device.heard.length;
    backend.server.requests.clear();
    rmSync(this.#effects, { force: true });
    await this.#scenarios[document](operation, run);
    const storage = join(this.#folder, "storage");
    const kept = existsSync(join(storage, "modules")) ? Object.entries(treeOf(join(storage, "modules"))) : [];
    const left = existsSync(join(storage, "download")) ? readdirSync(join(storage, "download")).length : 0;
    for (const name of ["download", "modules"]) rmSync(join(storage, name), { recursive: true, force: true });
    const answers = backend.device.heard
      .slice(since)
      .flatMap(({ topic }) => (/\/(?:res|s)\//.test(topic) ? [topic] : []));
    const neutral = (text: string) =>
      text
        .replaceAll(operation, "OPERATION")
        .replaceAll(new RegExp(`\\b${run}-(\\w+)`, "g"), "RUN-$1")
        .replaceAll(/modules\/\d+/g, "modules/N");
    const effects = existsSync(this.#effects) ? readFileSync(this.#effects, "utf8").split("\n") : [];
    // Answers and reports share a lane, but nobody waits for the one to give the other.
    const said = backend.texts(since).map(neutral);
    const contents = kept.map(([path, content]) => [path.replace(/^\d+/, "N"), content.split("\n")[0]]).toSorted();
    return {
      contents,
      said,
      answers: answers.map(neutral).toSorted(),
      effects,
      left,
      asked: [...backend.server.requests].toSorted(),
    };
  }

  get #effects(): string {
    return join(this.#folder, "effects");
  }

  readonly #scenarios: Record<Name, (operation: string, run: string) => Promise<void>> = {
    "software-install": async (operation, run) => {
      const backend = this.#backend;
      const kept = backend.scripted("kept", this.#does("kept"));
      await backend.download(`${run}-before`, kept);
      await backend.order(operation, `${run}-main`, { softwareModules: [...this.#modules(), kept] });
      const { softwareModule } = kept;
      await backend.order(operation, `${run}-broken`, { softwareModules: [{ softwareModule, artifacts: [{}] }] });
      await this.#remove(`${run}-after`);
    },
    "software-download": async (operation, run) => {
      const backend = this.#backend;
      const kept = backend.scripted("kept", this.#does("kept"));
      await backend.download(`${run}-before`, kept);
      await backend.order(operation, `${run}-main`, { softwareModules: [...this.#modules(), kept] });
      await backend.order(operation, `${run}-broken`, { softwareModules: [{ softwareModule: {}, artifacts: [{}] }] });
      // What it has stored is taken.
      await backend.install(`${run}-use`, kept);
      await this.#remove(`${run}-after`);
    },
    "software-remove": async (operation, run) => {
      const backend = this.#backend;
      const removable = (name: string, script: string) => {
        writeFileSync(join(this.#folder, `${name}.sh`), script);
        return backend.scripted(name, `cp ${join(this.#folder, `${name}.sh`)} remove.sh`);
      };
      const slow = removable("slow", `${this.#does("slow")}; sleep 600`);
      await backend.install(`${run}-before`, this.#modules()[0]!, removable("stubborn", "exit 3"), slow);
      const software = ["packed", "nothing", "stubborn"].map(this.#software);
      await backend.order(operation, `${run}-main`, { software });
      await backend.order(operation, `${run}-slow`, { software: ["slow", "nothing"].map(this.#software) });
      // It begins when the slow one is over, or never was.
      await backend.install(`${run}-next`, backend.scripted("next", "true"));
      const hasBegun = () => existsSync(this.#effects) && readFileSync(this.#effects, "utf8").includes("slow");
      await waitFor("the slow one", () => hasBegun() || backend.sequence(`${run}-next`).length > 0);
      await backend.order("cancel", `${run}-slow`, {});
      await this.#remove(`${run}-after`);
    },
    "software-cancel": async (operation, run) => {
      const backend = this.#backend;
      const gate = join(this.#folder, `gate-${run}`);
      await backend.install(`${run}-long`, backend.scripted("long", `while ! [ -e ${gate} ]; do sleep 0.02; done`));
      await waitFor("the script", () => backend.sequence(`${run}-long`).includes("long INSTALLING 0"));
      await backend.install(`${run}-queued`, backend.scripted("queued", this.#does("queued")));
      for (const id of [`${run}-queued`, `${run}-nothing`]) {
        const before = this.#ended(operation);
        await backend.order(operation, id, {});
        const isRefused = () => backend.device.on(`command///res/r-${id}/500`).length > 0;
        await waitFor("the cancel", () => this.#ended(operation) > before || isRefused());
      }
      writeFileSync(gate, "");
      await this.#remove(`${run}-after`);
    },
  };

  /** How many runs of a document have ended. */
  #ended(workflow: string): number {
    const isEnd = (line: Record<string, unknown>) =>
      line.workflow === workflow && /^run (?:succ|fail)/.test(String(line.msg));
    return this.#backend.device.host.lines().filter(isEnd).length;
  }

  /** A script that says that it ran. */
  #does(what: string): string {
    return `echo ${what} >> ${this.#effects}`;
  }

  readonly #software = (name: string) => ({ group: "g", name, version: "1.0" });

  /** Removes what is installed, and with that waits for all that came before. */
  async #remove(id: string): Promise<void> {
    await this.#backend.order("remove", id, { software: [this.#software("packed")] });
    const isEnd = ({ text }: { text: string }) =>
      text.includes('status/lastOperation","value') && text.includes(`"correlationId":"${id}","status":"FINISHED_`);
    await waitFor(`the end of ${id}`, () => this.#backend.device.on("e").some(isEnd));
  }

  /** One for each way to go through the documents. */
  #modules(): JsonObject[] {
    const backend = this.#backend;
    const declares = "mkdir installed-deps; printf 'group=g\\nname=packed\\nversion=1.0\\n' > installed-deps/p.prs";
    const files = [
      {
        name: "install.sh",
        content: `${this.#does("packed")}; ${declares}; printf 'progress=50\\nmessage=packed\\n' > status; sleep 0.05`,
      },
      { name: "remove.sh", content: this.#does("removed") },
    ];
    const archive = gzipSync(Buffer.concat([tarOf(...files), endOfTar]));
    const [key, iv] = [randomBytes(32), randomBytes(16)];
    const cipher = createCipheriv("aes-256-cbc", key, iv);
    const sealed = Buffer.concat([cipher.update(this.#does("sealed")), cipher.final()]).toString("base64");
    const local = join(this.#folder, "dir", "sealed.sh");
    writeFileSync(local, sealed);
    const secret = { "AES256.key": key.toString("base64"), "AES256.iv": iv.toString("base64"), "copy-artifacts": "*" };
    return [
      backend.module("packed", [{ filename: "packed.tar.gz", content: archive }]),
      backend.scripted("failing", `${this.#does("failing")}; exit 3`),
      backend.module("sealed", [{ filename: "install.sh", content: sealed, url: local, protocol: "FILE" }], {
        "artifact-type": "plain",
        ...secret,
      }),
      backend.module("wrong", [{ filename: "install.sh", content: "true", checksums: { SHA256: "0".repeat(64) } }]),
      backend.module("leading", [{ filename: "install.sh", content: "true" }], {
        "artifact-type": "plain",
        "installed-deps": "../..",
      }),
      backend.module("two", [
        { filename: "a.zip", content: "a" },
        { filename: "b.zip", content: "b" },
      ]),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#backend[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true });
  }
}
