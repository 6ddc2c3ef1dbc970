// Writes 30 values one after the other into the store of the folder it is given, and says how many commits it took.

import { openStore } from "../../host/store/open.ts";

const store = await openStore(process.argv[2]!);
for (let value = 0; value < 30; value++) await store.keyValue("host").set("k", value);
process.stdout.write(`${store.figures.commits} commits\n`);
await store.close();
