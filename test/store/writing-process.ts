// A process that opens the store of the folder it is given and writes runs with many records side by side until it is
// ended. It prints `open`, then one line for each write that the store has acknowledged: RUN SEQUENCE.

import { writeSync } from "node:fs";
import { openStore } from "../../host/store/open.ts";
import { documents, sampleRecord, sampleRun } from "./sample-run.ts";

const [, , directory, writes = "Infinity"] = process.argv as [string, string, string, string?];

/** At once, so that a kill loses no line; a reader that is behind is waited for. */
function print(line: string): void {
  for (let rest = Buffer.from(`${line}\n`); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

let left = Number(writes);
const store = await openStore(directory);
print("open");
await Promise.all(Array.from({ length: 8 }, writeRuns));
await store.close();

async function writeRuns(): Promise<void> {
  while (left > 0) {
    const run = sampleRun();
    await store.runs.accept(run, documents('{"steps":[]}'), [sampleRecord(1)]);
    print(`${run.id} 1`);
    for (let sequence = 2; sequence <= 20 && left-- > 0; sequence++) {
      await store.runs.append(run.id, [sampleRecord(sequence)]);
      print(`${run.id} ${sequence}`);
    }
  }
}
