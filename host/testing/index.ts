// gantry/testing: a real host for the tests of plugins and workflows.

export type { Failure } from "../errors.ts";
export type { RunStatus } from "../store/store.ts";
export type { TestPlugin } from "./host-folder.ts";
export type { LogLine } from "./host-log.ts";
export type { HeardMessage, TestClient } from "./mqtt-client.ts";
export { type Moment, type StepFacts, StepFailed, type StepOptions, type StepOutcome } from "./step-outcome.ts";
export type { BrokerKind, TestBroker } from "./test-broker.ts";
export { startTestHost, type TestHost } from "./test-host.ts";
export type { TestHostOptions } from "./test-host-options.ts";
export type { TestRun, TestStep } from "./test-run.ts";
export { waitFor } from "./wait-for.ts";
