// Ctrl-C and SIGTERM, told once.

/** A signal that comes so soon after another is the same one: npm hands on what the terminal has sent already. */
const sameWithinMs = 1000;

export interface Interrupt extends Disposable {
  /** Resolves with the first signal. */
  readonly told: Promise<NodeJS.Signals>;
}

/** From the first signal on, a second one that is no mere echo ends the process at once, as it would without this. */
export function watchInterrupt(signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM"]): Interrupt {
  const { promise: told, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let firstAt: number | undefined;
  const stop = () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    const now = performance.now();
    firstAt ??= now;
    if (now - firstAt < sameWithinMs) return resolve(signal);
    stop();
    process.kill(process.pid, signal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  const dispose = () => {
    // The echo may come while the process is already on its way out.
    if (firstAt === undefined) stop();
  };
  return { told, [Symbol.dispose]: dispose };
}
