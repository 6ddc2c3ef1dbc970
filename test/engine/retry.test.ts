import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readPolicy } from "../../host/engine/read-values.ts";
import { nextAttemptAt } from "../../host/engine/retry.ts";
import { compile } from "../../host/expressions/index.ts";
import type { Json } from "../../host/sdk.ts";

const failure = { code: "NO", message: "no", retryable: true };
const now = Date.parse("2026-01-01T00:00:00Z");

const policy = fc.record({
  retries: fc.nat(2000),
  delayMs: fc.oneof(fc.constant(0), fc.nat(100_000)),
  backoff: fc.oneof(fc.constant(1), fc.double({ min: 1, max: 3, noNaN: true }), fc.constant(1e300)),
  maxDelayMs: fc.nat(1_000_000),
});

test("each wait is the delay times backoff for every attempt before, never longer than maxDelay", () => {
  fc.assert(
    fc.property(policy, fc.integer({ min: 1, max: 2000 }), (chosen, attempt) => {
      const at = nextAttemptAt(chosen, attempt, failure, now);
      if (attempt > chosen.retries) return assert.equal(at, undefined);
      // Said as a person would: from one wait to the next.
      let waitMs = Math.min(chosen.delayMs, chosen.maxDelayMs);
      for (let before = 1; before < attempt && waitMs < chosen.maxDelayMs && waitMs > 0; before++)
        waitMs = Math.min(chosen.maxDelayMs, waitMs * chosen.backoff);
      assert.ok(Math.abs(at! - now - waitMs) < 1, `${at! - now} and not ${waitMs}`);
    }),
    { numRuns: 1000 },
  );
});

test("what says that a repetition does not help is not repeated, and nothing is without a policy", () => {
  const chosen = { retries: 3, delayMs: 1, backoff: 1, maxDelayMs: 1 };
  assert.equal(nextAttemptAt(chosen, 1, { ...failure, retryable: false }, now), undefined);
  assert.equal(nextAttemptAt(undefined, 1, failure, now), undefined);
});

const policyOf = (delay: string) =>
  readPolicy({ timeout: undefined, retry: compile({ retries: 5, delay, maxDelay: delay, backoff: 9 } as Json) }, {});

test("the time of the next attempt is one that a calendar knows, whatever durations a document has", () => {
  const longest = policyOf("36500d");
  assert.ok(longest.ok);
  const at = nextAttemptAt(longest.value.retry, 5, failure, now)!;
  assert.equal(new Date(at).getUTCFullYear(), 2125);
  for (const delay of ["36501d", "99999999999999d"]) {
    const longer = policyOf(delay);
    assert.ok(!longer.ok);
    assert.equal(longer.error.code, "EXPRESSION_FAILED");
  }
});
