// Work whose length somebody else decides: a schema of a plugin's own can keep a processor busy for ever, by a regular
// expression that tries everything, by alternatives within alternatives, or by comparing each item with each other.

import { type Context, createContext, Script } from "node:vm";

const script = new Script("work()");
/** Made at first use, and costs more than a call: all calls share it. */
let context: Context | undefined;

/** On a machine with much else to do it is begun again with twice the time, so often at most. */
const attempts = 4;

/**
 * Gives what `work` gives, and undefined where that takes more of the processor's time; it is cut off wherever it is then,
 * and may be begun again: it changes nothing. Only JavaScript can be cut off, not what is within SQLite, say.
 */
export function bounded<Value>(work: () => Value, limitMs: number): { value: Value } | undefined {
  let done: { value: Value } | undefined;
  context ??= createContext();
  context.work = () => {
    done = { value: work() };
  };
  try {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const before = process.threadCpuUsage();
      if (endsWithin(limitMs * 2 ** attempt)) return done;
      const { user, system } = process.threadCpuUsage(before);
      if (user + system >= limitMs * 900) break;
    }
    return undefined;
  } finally {
    delete context.work;
  }
}

function endsWithin(timeoutMs: number): boolean {
  try {
    script.runInContext(context!, { timeout: timeoutMs });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return false;
    throw error;
  }
}
