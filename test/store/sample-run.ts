import { randomUUIDv7 } from "node:crypto";
import type { JournalRecord, Run } from "../../host/store/store.ts";

export function sampleRun(changes: Partial<Run> = {}): Run {
  return {
    id: randomUUIDv7(),
    workflow: "install",
    document: "d1",
    calls: {},
    retryOf: null,
    answer: null,
    status: "running",
    group: null,
    acceptedAt: Date.now(),
    startedAt: Date.now(),
    endedAt: null,
    input: { url: "http://127.0.0.1/a", sizes: [1, 2.5, null] },
    event: { topic: "device/install" },
    output: null,
    error: null,
    ...changes,
  };
}

/** What a sample run keeps of its document. */
export const documents = (text: string) => new Map([["d1", text]]);

export function sampleRecord(sequence: number, changes: Partial<JournalRecord> = {}): JournalRecord {
  return {
    sequence,
    at: 1_700_000_000_000 + sequence,
    kind: "succeeded",
    path: `steps/${sequence}`,
    data: { n: sequence },
    ...changes,
  };
}

/** More than a writing thread with this heap can take in, small as each record is. */
export const tooMuch = { maxHeapMb: 24, maxBytesInFlight: 512 * 1024 * 1024 };
export const tooManyRecords = () => Array.from({ length: 300_000 }, (_, index) => sampleRecord(index + 1));
