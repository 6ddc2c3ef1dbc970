// Two runs as an engine writes them: one failed at its second step after a repetition, one waits for its turn.

import type { Entry } from "../../host/engine/records.ts";
import type { Json } from "../../host/sdk.ts";
import type { JournalRecord, Run } from "../../host/store/store.ts";
import type { Workflow } from "../../schemas/workflow.types.ts";

const acceptedAt = Date.UTC(2026, 2, 1, 12, 0, 0);

const full = {
  code: "LAMP_BROKEN",
  message: "the lamp said:\n\u001b[31mno",
  retryable: true,
  remedy: "Replace the\u001b[2J bulb.",
};

export const failedRunDocument: Workflow = {
  name: "blink",
  steps: [
    { id: "fetch", uses: "download/fetch", with: {} },
    { uses: "lamp/blink", with: {} },
    { id: "never", uses: "lamp/off", with: {} },
  ],
};

export const failedRun: Run = {
  id: "01890000-0000-7000-8000-000000000001",
  workflow: "blink",
  document: "d".repeat(64),
  calls: {},
  retryOf: null,
  answer: null,
  status: "failed",
  group: "lamps",
  acceptedAt,
  startedAt: acceptedAt + 10,
  endedAt: acceptedAt + 90_000,
  input: { times: 3 },
  event: { topic: "blink" },
  output: null,
  error: { ...full, step: "fetch" },
};

export const waitingRun: Run = {
  ...failedRun,
  id: "0189aaaa-0000-7000-8000-000000000002",
  workflow: "install",
  status: "queued",
  acceptedAt: acceptedAt + 1000,
  startedAt: null,
  endedAt: null,
  error: null,
};

const entries: [afterMs: number, entry: Entry][] = [
  [10, { kind: "started", path: "", data: { vars: {} } }],
  [10, { kind: "running", path: "steps/0", data: { attempt: 1, input: {} } }],
  [2010, { kind: "succeeded", path: "steps/0", data: { output: {} } }],
  [2010, { kind: "running", path: "steps/1", data: { attempt: 1, input: {} } }],
  [3000, { kind: "retry", path: "steps/1", data: { error: full, at: acceptedAt + 4000 } }],
  [4000, { kind: "running", path: "steps/1", data: { attempt: 2, input: {} } }],
  [5000, { kind: "resumed", path: "steps/1", data: {} }],
  [90_000, { kind: "failed", path: "steps/1", data: { error: full } }],
  [90_000, { kind: "ended", path: "", data: { status: "failed", output: null, error: full } }],
];

export const failedRunJournal: JournalRecord[] = entries.map(([afterMs, { kind, path, data }], index) => ({
  sequence: index + 1,
  at: acceptedAt + afterMs,
  kind,
  path,
  data: data as Json,
}));
