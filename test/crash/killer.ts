// A process of its own that kills another one when the journal of a run has reached a certain length:
// killer.ts DATABASE PID RECORDS [RUN], where RUN counts from 1, the first. It reads the database itself and knows
// nothing of the host's code.

import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

const [, , file, pid, wanted, run = "1"] = process.argv as [string, string, string, string, string, string?];

while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 1));
const count = openWhenThere();
for (;;) {
  if (count() >= Number(wanted)) {
    process.kill(Number(pid), "SIGKILL");
    break;
  }
}

function openWhenThere(): () => number {
  for (;;) {
    try {
      const database = new DatabaseSync(file, { readOnly: true });
      const statement = database.prepare(
        "SELECT count(*) AS records FROM journal WHERE run_number = (SELECT number FROM runs ORDER BY number LIMIT 1 OFFSET ?)",
      );
      return () => (statement.get(Number(run) - 1) as { records: number }).records;
    } catch {
      // The tables are still being made.
    }
  }
}
