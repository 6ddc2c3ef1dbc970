// Work whose length somebody else decides: a schema of a plugin's own can keep a processor busy for ever, by a regular
// expression that tries everything, by alternatives within alternatives, or by comparing each item with each other.

import { type Context, createContext, Script } from "node:vm";

const script = new Script("work()");
/** Made at first use, and costs more than a call: all calls share it. */
let context: Context | undefined;

/**
 * Gives what `work` gives, and undefined where that takes longer; it is cut off wherever it is then. Only JavaScript can
 * be cut off, not what is within SQLite, say.
 */
export function bounded<Value>(work: () => Value, timeoutMs: number): { value: Value } | undefined {
  let done: { value: Value } | undefined;
  context ??= createContext();
  context.work = () => {
    done = { value: work() };
  };
  try {
    script.runInContext(context, { timeout: timeoutMs });
    return done;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return undefined;
    throw error;
  } finally {
    delete context.work;
  }
}
