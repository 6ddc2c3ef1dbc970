import type { Failure } from "../errors.ts";
import type { RetryPolicy } from "./records.ts";

/** When a failed attempt is to be repeated (epoch milliseconds), or undefined when it is not. `attempt` counts from 1. */
export function nextAttemptAt(
  policy: RetryPolicy | undefined,
  attempt: number,
  error: Failure,
  now: number,
): number | undefined {
  if (policy === undefined || !error.retryable || attempt > policy.retries) return undefined;
  const { delayMs, backoff, maxDelayMs } = policy;
  // The power may be too large to be a number, and no delay stays none.
  return now + (delayMs === 0 ? 0 : Math.min(maxDelayMs, delayMs * backoff ** (attempt - 1)));
}
