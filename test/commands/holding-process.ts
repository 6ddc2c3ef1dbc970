// A process that holds the data folder it is given as a host does, has written two runs into it, and waits to be ended.

import { openStore } from "../../host/store/open.ts";
import { failedRun, failedRunDocument, failedRunJournal, waitingRun } from "./told-runs.ts";

const store = await openStore(process.argv[2]!);
const documents = new Map([[failedRun.document, JSON.stringify(failedRunDocument)]]);
await store.runs.accept(failedRun, documents, failedRunJournal);
await store.runs.accept(waitingRun, documents, []);
console.log("holding");
setInterval(() => {}, 60_000);
