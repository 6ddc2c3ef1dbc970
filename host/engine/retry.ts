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
  return now + Math.min(policy.maxDelayMs, policy.delayMs * policy.backoff ** (attempt - 1));
}
