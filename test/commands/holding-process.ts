// A process that holds the data folder it is given as a host does, has written two runs into it, and waits to be ended.

import { openStore } from "../../host/store/open.ts";
import { failedRun, failedRunDocument, failedRunJournal, waitingRun } from "./told-runs.ts";

const store = await openStore(process.argv[2]!);
await store.runs.accept(failedRun, JSON.stringify(failedRunDocument), failedRunJournal);
await store.runs.accept(waitingRun, JSON.stringify(failedRunDocument), []);
console.log("holding");
setInterval(() => {}, 60_000);
