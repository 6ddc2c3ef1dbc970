// What one plugin process may cost the host. A plugin that keeps to Gantry's own runtime (`child.ts`) never meets the
// ones that end it: the runtime holds back before.

import type { KeptLimits } from "./kept.ts";

export interface IsolationLimits {
  /** One message, either way, in bytes. */
  messageBytes: number;
  /** Calls of the plugin that the host has not answered: how many, and their bytes. */
  unansweredCalls: number;
  unansweredBytes: number;
  /** What waits in the host for a plugin that does not read. */
  unreadBytes: number;
  /** Subscriptions that it keeps, the bytes that it gave for them, and objects with functions that it was given. */
  kept: KeptLimits;
  /** Log lines and progress reports a second, and at once after a quiet time. */
  notices: { perSecond: number; burst: number };
  /** Lines of the plugin's that go into the host's log; what is above is counted and dropped. */
  logLines: { perSecond: number; burst: number };
  /** Bytes on standard output and standard error. */
  outputBytes: { perSecond: number; burst: number };
  /** How often a sign of life is asked for, and how many may be missing in a row. */
  heartbeatMs: number;
  missedHeartbeats: number;
  /** How long a step may go on after its abort. */
  deafAfterMs: number;
  /** How often the resident memory is looked at. */
  memoryCheckMs: number;
  /** Resident memory where plugins.json has no `memoryLimitMb`. */
  memoryMb: number;
}

export const defaultLimits: Readonly<IsolationLimits> = {
  messageBytes: 4 << 20,
  unansweredCalls: 8192,
  unansweredBytes: 8 << 20,
  unreadBytes: 32 << 20,
  kept: { stops: 10_000, stopBytes: 16 << 20, objects: 1000 },
  notices: { perSecond: 2000, burst: 50_000 },
  logLines: { perSecond: 200, burst: 2000 },
  outputBytes: { perSecond: 1 << 20, burst: 32 << 20 },
  heartbeatMs: 5000,
  missedHeartbeats: 6,
  deafAfterMs: 10_000,
  memoryCheckMs: 200,
  memoryMb: 256,
};
