// Several sources of one file, in order.

import { PluginError, type StepContext } from "gantry";
import { shown } from "gantry/toolkit/addresses";
import { isLocal, isPassing } from "./failures.ts";

/** What the first source gives that gives anything. Where none does, the failure is one that a retry can help, if any. */
export async function firstOf<Value>(
  urls: URL[],
  { signal, log }: StepContext,
  fetch: (url: URL) => Promise<Value>,
): Promise<Value> {
  const failures: PluginError[] = [];
  for (const url of urls) {
    try {
      return await fetch(url);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof PluginError) || isLocal(error)) throw error;
      failures.push(error);
      if (url !== urls.at(-1)) log.warn(`${shown(url)} failed, the next source is tried`, { code: error.code });
    }
  }
  throw failures.find(isPassing) ?? failures[0]!;
}
