// Opens the store of a data folder: as the one host that works with it, or beside that host to read.

import { statSync } from "node:fs";
import { GantryError } from "../errors.ts";
import { copyBeside } from "./copying.ts";
import { DamageReport, type Recovered } from "./damage.ts";
import { databaseFile, prepareDirectory } from "./data-directory.ts";
import { Databases } from "./databases.ts";
import { orStoreError } from "./failure.ts";
import { Housekeeping, type HousekeepingOptions } from "./housekeeping.ts";
import { createKeyValue } from "./key-value.ts";
import { ValueReader } from "./large-values.ts";
import { lockDirectory } from "./lock.ts";
import { createOutbox } from "./outbox.ts";
import { ReadConnection } from "./read-connection.ts";
import { Sweeper } from "./retention.ts";
import { createRunSecrets } from "./run-secrets.ts";
import { createRuns, readRuns } from "./runs.ts";
import { SCHEMA_VERSION, schemaVersion } from "./schema.ts";
import { createSignals } from "./signals.ts";
import type { Store, StoreReader } from "./store.ts";
import { Writer } from "./writer.ts";
import { WritingThread } from "./writing-thread.ts";

const MIB = 1024 * 1024;

export interface StoreOptions extends HousekeepingOptions {
  /** Of each file: bytes handed to the writing thread and not answered yet, also the most one write may have. */
  maxBytesInFlight?: number;
  /** The writing thread's heap. */
  maxHeapMb?: number;
  /** Default 64 MiB. */
  maxLaneBytes?: number;
  /** Told of damage as it is found; `recovered` of the store lists it too. */
  onRecovered?: (fact: Recovered) => void;
}

/**
 * Makes what is missing, and holds the folder until `close`. What is damaged is set aside and told, see `recovered`.
 * Rejects with STORE_LOCKED (another host has it), STORE_NEWER, STORE_FULL, STORE_READ_ONLY, STORE_DENIED or STORE_FAILED.
 */
export async function openStore(directory: string, options: StoreOptions = {}): Promise<Store> {
  const { maxBytesInFlight = 8 * MIB, maxHeapMb = 64, maxLaneBytes = 64 * MIB } = options;
  prepareDirectory(directory);
  const lock = lockDirectory(directory);
  const damage = new DamageReport(options.onRecovered);
  const onRecovered = (fact: Recovered) => damage.note(fact);
  const thread = new WritingThread(maxHeapMb);
  const path = databaseFile(directory);
  const files = { dataDirectory: directory, maxBytesInFlight, onRecovered };
  const writer = new Writer(thread, { ...files, kind: "host", path });
  let connection: ReadConnection;
  try {
    await writer.start();
    connection = new ReadConnection(path);
  } catch (error) {
    await writer.close(false);
    await thread.end();
    lock.release();
    throw error;
  }

  const committedDocuments = new Set<string>();
  const secrets = createRunSecrets(directory, damage);
  const reading = readRuns(connection, new ValueReader(directory, damage));
  const databases = new Databases(thread, files);
  const sweeper = new Sweeper({ dataDirectory: directory, writer, secrets, committedDocuments });
  const main = { path, writer };
  const housekeeping = new Housekeeping(() => [main, ...databases.all()], copyBeside, sweeper, options);
  let closing = false;
  // What belongs to runs that were lost stays for whoever tries to mend them.
  const strays =
    damage.facts.length > 0 ? undefined : sweeper.removeStrays((runId) => closing || connection.hasRun(runId));
  let closed: Promise<void> | undefined;

  async function close(): Promise<void> {
    closing = true;
    await Promise.all([writer.drain(), databases.drain(), housekeeping.stop(), strays]);
    await databases.close((file) => housekeeping.hasChanged(file));
    // The thread's connection must be the last one to close: it then removes the write-ahead log.
    connection.close();
    await writer.close(housekeeping.hasChanged(main));
    await thread.end();
    lock.release();
  }

  return {
    runs: createRuns(reading, writer, committedDocuments, () => sweeper.noteAccepted()),
    signals: createSignals(connection, writer, damage),
    secrets,
    recovered: damage.facts,
    figures: writer.figures,
    keyValue: (owner) => createKeyValue(owner, connection, writer, damage),
    outbox: (owner) => createOutbox(owner, maxLaneBytes, connection, writer, damage),
    database: (plugin, name) => databases.of(plugin, name),
    retention: (limits) => {
      sweeper.limits = { ...sweeper.limits, ...limits };
    },
    sweep: (now) => sweeper.sweep(now),
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

/** Reads beside a running host as well as after it has ended, however it did. Throws STORE_MISSING, STORE_OLDER, STORE_NEWER, STORE_DAMAGED, STORE_FAILED. */
export function openStoreForReading(directory: string): StoreReader {
  const missing = (message: string) => new GantryError("STORE_MISSING", message);
  if (!isThere(directory)) throw missing(`no host has worked in the folder ${directory}`);
  const connection = new ReadConnection(databaseFile(directory));
  try {
    const version = connection.ask(schemaVersion);
    if (version === 0) throw missing(`the host has not finished its first start in ${directory}`);
    if (version < SCHEMA_VERSION) {
      throw new GantryError(
        "STORE_OLDER",
        `the tables in ${directory} have version ${version}, this Gantry reads version ${SCHEMA_VERSION}`,
      );
    }
    if (version > SCHEMA_VERSION) {
      throw new GantryError(
        "STORE_NEWER",
        `the tables in ${directory} have version ${version}, this Gantry knows up to ${SCHEMA_VERSION}`,
      );
    }
  } catch (error) {
    connection.close();
    throw error;
  }
  const values = new ValueReader(directory, new DamageReport());
  return { runs: readRuns(connection, values), close: () => connection.close() };
}

/** Also a file that may not be looked at is there. */
function isThere(directory: string): boolean {
  const file = databaseFile(directory);
  return orStoreError(`the data folder ${directory} cannot be read`, () => {
    try {
      return statSync(file, { throwIfNoEntry: false }) !== undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return false;
      throw error;
    }
  });
}
