// Who does what a command asks for: the host that works with the data folder, or the command itself where there is none.

import { setTimeout as sleep } from "node:timers/promises";
import { type ControlClient, connectControl } from "../control/client.ts";
import { GantryError } from "../errors.ts";
import { openStore, openStoreForReading } from "../store/open.ts";
import type { Store } from "../store/store.ts";

/** A host has its socket at the end of its start; it holds the data folder from the beginning. */
const startTimeMs = 10_000;

/** Asks the host, or else does `alone`, which may take the data folder: where a host is just starting, it is asked. */
export async function askHostOr<Result>(
  data: string,
  ask: (client: ControlClient) => Promise<Result>,
  alone: () => Promise<Result>,
): Promise<Result> {
  const client = await connectControl(data);
  if (client !== undefined) return askAndLeave(client, ask);
  try {
    return await alone();
  } catch (error) {
    if (!(error instanceof GantryError && error.code === "STORE_LOCKED")) throw error;
    return askAndLeave(await awaitHost(data, error), ask);
  }
}

/** Asks the host, or else works with its store, which must be there: STORE_MISSING. */
export async function askHostOrStore<Result>(
  data: string,
  ask: (client: ControlClient) => Promise<Result>,
  alone: (store: Store) => Promise<Result>,
): Promise<Result> {
  return askHostOr(data, ask, async () => {
    openStoreForReading(data).close();
    const store = await openStore(data);
    try {
      return await alone(store);
    } finally {
      await store.close();
    }
  });
}

async function askAndLeave<Result>(client: ControlClient, ask: (client: ControlClient) => Promise<Result>) {
  using asked = client;
  return await ask(asked);
}

async function awaitHost(data: string, locked: GantryError): Promise<ControlClient> {
  for (const end = Date.now() + startTimeMs; Date.now() < end; await sleep(50)) {
    const client = await connectControl(data);
    if (client !== undefined) return client;
  }
  throw locked;
}
