/**
 * Settles as `work` does, or rejects with `late()` after that time, or with the reason of `signal`; `work` itself goes
 * on then.
 */
export async function withDeadline<Value>(
  work: Promise<Value>,
  durationMs: number,
  late: () => Error,
  signal?: AbortSignal,
): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), durationMs);
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
