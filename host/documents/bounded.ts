// Work whose length somebody else decides: a schema of a plugin's own can keep a processor busy for ever, by a regular
// expression that tries everything, by alternatives within alternatives, or by comparing each item with each other.

import { createContext, Script } from "node:vm";

const script = new Script("work()");

/**
 * Gives what `work` gives, and undefined where that takes longer; it is cut off wherever it is then. Costs a tenth of a
 * millisecond. Only JavaScript can be cut off, not what is within SQLite, say.
 */
export function bounded<Value>(work: () => Value, timeoutMs: number): { value: Value } | undefined {
  let done: { value: Value } | undefined;
  const context = createContext({
    work: () => {
      done = { value: work() };
    },
  });
  try {
    script.runInContext(context, { timeout: timeoutMs });
    return done;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return undefined;
    throw error;
  }
}
