// Secrets that came with runs: one file for each run, outside the database, gone with the run.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Json } from "../sdk.ts";
import type { DamageReport } from "./damage.ts";
import { secretsFolder } from "./data-directory.ts";
import { orStoreError, storeError } from "./failure.ts";
import { reasonOf } from "./reason.ts";
import type { RunSecrets } from "./store.ts";

const ending = ".json";

/** The digest shows that the values are those that were written. */
interface SecretsFile {
  sha256: string;
  values: Record<string, Json>;
}

export function createRunSecrets(dataDirectory: string, damage: DamageReport): RunSecrets {
  const directory = secretsFolder(dataDirectory);

  // An id that came from elsewhere must not lead out of the folder.
  function fileOf(runId: string): string {
    if (!/^[A-Za-z0-9-]{1,64}$/.test(runId)) throw new Error(`${JSON.stringify(runId)} is no id of a run`);
    return join(directory, runId + ending);
  }

  return {
    async put(runId, values) {
      const file = fileOf(runId);
      const temporary = `${file}.part`;
      try {
        if ((await mkdir(directory, { recursive: true, mode: 0o700 })) !== undefined) await sync(dataDirectory);
        await writeSynced(temporary, JSON.stringify({ sha256: digestOf(values), values } satisfies SecretsFile));
        await rename(temporary, file);
        await sync(directory);
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => {});
        throw storeError("the secrets of a run cannot be kept", reasonOf(error, dataDirectory), error);
      }
    },
    get(runId) {
      const file = fileOf(runId);
      if (!existsSync(file)) return {};
      const text = orStoreError("the secrets of a run cannot be read", () => readFileSync(file, "utf8"));
      const values = valuesIn(text);
      if (values !== undefined) return values;
      const setAside = `${file}.damaged`;
      orStoreError("damaged secrets cannot be set aside", () => renameSync(file, setAside), dataDirectory);
      const message = `the secrets of run ${runId} were damaged and are lost`;
      const found = "its digest is another one";
      damage.note({ code: "STORE_DAMAGED", message, what: file, found, setAside, copyFrom: null });
      throw storeError(message, { code: "STORE_DAMAGED", message: `the file was set aside as ${setAside}` });
    },
    async remove(runId) {
      const file = fileOf(runId);
      if (!existsSync(directory)) return;
      await Promise.all([file, `${file}.part`, `${file}.damaged`].map((path) => rm(path, { force: true })));
    },
    list() {
      if (!existsSync(directory)) return [];
      const ids = readdirSync(directory).map(
        (name) => /^([A-Za-z0-9-]{1,64})\.json(\.part|\.damaged)?$/.exec(name)?.[1],
      );
      return [...new Set(ids.filter((id) => id !== undefined))];
    },
  };
}

function valuesIn(text: string): Record<string, Json> | undefined {
  try {
    const { sha256, values } = JSON.parse(text) as SecretsFile;
    return digestOf(values) === sha256 ? values : undefined;
  } catch {
    return undefined;
  }
}

const digestOf = (values: Record<string, Json>) => createHash("sha256").update(JSON.stringify(values)).digest("hex");

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function sync(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
