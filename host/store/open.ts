// Opens the store of a data folder: as the one host that works with it, or beside that host to read.

import { existsSync } from "node:fs";
import { GantryError } from "../errors.ts";
import { databaseFile, prepareDirectory } from "./data-directory.ts";
import { createKeyValue } from "./key-value.ts";
import { lockDirectory } from "./lock.ts";
import { createOutbox } from "./outbox.ts";
import { ReadConnection } from "./read-connection.ts";
import { createRunSecrets } from "./run-secrets.ts";
import { createRuns, readRuns } from "./runs.ts";
import { SCHEMA_VERSION, schemaVersion } from "./schema.ts";
import { createSignals } from "./signals.ts";
import type { Store, StoreReader } from "./store.ts";
import { Writer, type WriterLimits } from "./writer.ts";

const MIB = 1024 * 1024;

export interface StoreOptions extends Partial<WriterLimits> {
  /** Default 64 MiB. */
  maxLaneBytes?: number;
}

/**
 * Makes what is missing, and holds the folder until `close`. Rejects with STORE_LOCKED (another host has it),
 * STORE_NEWER, or STORE_FAILED.
 */
export async function openStore(directory: string, options: StoreOptions = {}): Promise<Store> {
  const { maxBytesInFlight = 8 * MIB, maxHeapMb = 64, maxLaneBytes = 64 * MIB } = options;
  prepareDirectory(directory);
  const lock = lockDirectory(directory);
  const writer = new Writer(databaseFile(directory), { maxBytesInFlight, maxHeapMb });
  let connection: ReadConnection;
  try {
    await writer.start();
    connection = new ReadConnection(databaseFile(directory));
  } catch (error) {
    await writer.end();
    lock.release();
    throw error;
  }
  let closed: Promise<void> | undefined;

  async function close(): Promise<void> {
    await writer.drain();
    // The thread's connection must be the last one to close: it then removes the write-ahead log.
    connection.close();
    await writer.end();
    lock.release();
  }

  return {
    runs: createRuns(connection, writer),
    signals: createSignals(connection, writer),
    secrets: createRunSecrets(directory),
    figures: writer.figures,
    keyValue: (owner) => createKeyValue(owner, connection, writer),
    outbox: (owner) => createOutbox(owner, maxLaneBytes, connection, writer),
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

/** Reads beside a running host as well as after it has ended, however it did. Throws STORE_MISSING, STORE_NEWER, STORE_FAILED. */
export function openStoreForReading(directory: string): StoreReader {
  const missing = (message: string) => new GantryError("STORE_MISSING", message);
  if (!existsSync(databaseFile(directory))) throw missing(`no host has worked in the folder ${directory}`);
  const connection = new ReadConnection(databaseFile(directory));
  try {
    const version = connection.ask(schemaVersion);
    if (version === 0) throw missing(`the host has not finished its first start in ${directory}`);
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
  return { runs: readRuns(connection), close: () => connection.close() };
}
