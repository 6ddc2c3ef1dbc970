/** The time that a host goes by: its waits, retries, time limits, schedules and back-offs. Tests give it one they move. */
export interface Clock {
  /** What the clock on the wall shows: epoch milliseconds. */
  now(): number;
  /** Milliseconds since some moment; goes forward only, also where the wall clock is set. */
  passed(): number;
  /** Calls back once that long has passed (at most 2^31 - 1 ms); returns what calls it off. */
  after(durationMs: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  passed: () => performance.now(),
  after(durationMs, work) {
    const timer = setTimeout(work, durationMs);
    return () => clearTimeout(timer);
  },
};
