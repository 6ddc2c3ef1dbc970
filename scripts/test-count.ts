// A reporter that counts: writes how many tests there were. A file or a name that matches nothing counts as none,
// where node's own summary counts the file.

import type { TestEvent } from "node:test/reporters";

export default async function* count(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let tests = 0;
  for await (const { type, data } of events)
    if (type === "test:summary" && data.file !== undefined) tests += data.counts.tests;
  yield String(tests);
}
