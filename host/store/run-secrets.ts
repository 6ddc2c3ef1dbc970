// Secrets that came with runs: one file for each run, outside the database, gone with the run.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Json } from "../sdk.ts";
import { orStoreError, storeError } from "./failure.ts";
import { reasonOf } from "./reason.ts";
import type { RunSecrets } from "./store.ts";

const ending = ".json";

export function createRunSecrets(dataDirectory: string): RunSecrets {
  const directory = join(dataDirectory, "secrets");

  // An id that came from elsewhere must not lead out of the folder.
  function fileOf(runId: string): string {
    if (!/^[A-Za-z0-9-]{1,64}$/.test(runId)) throw new Error(`${JSON.stringify(runId)} is no id of a run`);
    return join(directory, runId + ending);
  }

  return {
    async put(runId, values) {
      const file = fileOf(runId);
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        const temporary = `${file}.part`;
        await writeSynced(temporary, JSON.stringify(values));
        await rename(temporary, file);
        await syncDirectory(directory);
      } catch (error) {
        throw storeError("the secrets of a run cannot be kept", reasonOf(error), error);
      }
    },
    get(runId) {
      const file = fileOf(runId);
      if (!existsSync(file)) return {};
      return orStoreError("the secrets of a run cannot be read", () => {
        return JSON.parse(readFileSync(file, "utf8")) as Record<string, Json>;
      });
    },
    async remove(runId) {
      const file = fileOf(runId);
      if (!existsSync(directory)) return;
      await Promise.all([rm(file, { force: true }), rm(`${file}.part`, { force: true })]);
    },
    list() {
      if (!existsSync(directory)) return [];
      return readdirSync(directory)
        .filter((name) => name.endsWith(ending))
        .map((name) => name.slice(0, -ending.length));
    },
  };
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
