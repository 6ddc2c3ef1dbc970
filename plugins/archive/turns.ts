// Two runs that want the same folder or archive would write into one another's work: the second waits.

const last = new Map<string, Promise<void>>();

/** Does the work once all earlier work at this path is over; rejects with the signal's reason if that comes first. */
export async function inTurn<Value>(path: string, signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
  const before = last.get(path) ?? Promise.resolve();
  const { promise: over, resolve: leave } = Promise.withResolvers<void>();
  // Whoever comes next waits for those before as well, also when this one gives up waiting.
  const turn = before.then(() => over);
  last.set(path, turn);
  try {
    await untilAborted(before, signal);
    return await work();
  } finally {
    leave();
    void turn.then(() => last.get(path) === turn && last.delete(path));
  }
}

async function untilAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([wait, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
