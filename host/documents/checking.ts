import type { VerbCatalogue } from "./catalogue.ts";
import { type Document, type FaultOptions, faultAt } from "./document.ts";
import type { Fault } from "./fault.ts";

/** What all checks of one workflow share. */
export interface Checking {
  document: Document;
  /** Pointers of objects that lack something because it was set aside. */
  broken: ReadonlySet<string>;
  catalogue: VerbCatalogue;
  /** Whether a person named this very file. */
  named: boolean;
  report(pointer: string, options: FaultOptions): void;
}

export function startChecking(given: Omit<Checking, "report">): Checking & { faults: Fault[] } {
  const faults: Fault[] = [];
  return { ...given, faults, report: (pointer, options) => faults.push(faultAt(given.document, pointer, options)) };
}

/** For messages: `name` in backquotes, of a pointer. */
export function memberAt(pointer: string): string {
  return `\`${pointer.slice(pointer.lastIndexOf("/") + 1)}\``;
}
