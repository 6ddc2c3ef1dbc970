// What was found damaged in the data folder, and what the store did about it.

import type { Failure } from "../errors.ts";
import { catalogue } from "../errors.ts";
import type { Json } from "../sdk.ts";

export interface Recovered {
  code: "STORE_DAMAGED";
  /** In one sentence for people. */
  message: string;
  /** The file, absolute, or what in the database. */
  what: string;
  found: string;
  /** Where the damaged file is now; null where it was left in its place. */
  setAside: string | null;
  /** When what was taken instead was made, in epoch milliseconds; null where nothing could be taken. */
  copyFrom: number | null;
}

/** Facts about damage, each told once. Found at a start, and later when a plugin's database or a value is first read. */
export class DamageReport {
  readonly facts: Recovered[] = [];
  readonly #listener: (fact: Recovered) => void;

  constructor(listener: (fact: Recovered) => void = () => {}) {
    this.#listener = listener;
  }

  note(fact: Recovered): void {
    if (this.facts.some(({ what, setAside }) => what === fact.what && setAside === fact.setAside)) return;
    // A disk that dies slowly must not fill the memory.
    if (this.facts.length >= 1_000) return;
    this.facts.push(fact);
    this.#listener(fact);
  }

  /** Something within the database, or a file beside it, that cannot be read and stays where it is. */
  noteUnreadable(what: string, found: string): void {
    this.note({
      code: "STORE_DAMAGED",
      message: `${what} is lost: ${found}`,
      what,
      found,
      setAside: null,
      copyFrom: null,
    });
  }

  /** Undefined where the text is no JSON. */
  parse(what: string, text: string): Json | undefined {
    try {
      return JSON.parse(text) as Json;
    } catch (error) {
      this.noteUnreadable(what, (error as Error).message);
      return undefined;
    }
  }
}

export const damageFailure = (message: string): Failure => {
  const { remedy, retryable } = catalogue.STORE_DAMAGED;
  return { code: "STORE_DAMAGED", message, retryable, remedy };
};

/** Stands in for a value that cannot be read any more. */
export const damagedValue = (message: string): Json => ({ damaged: { code: "STORE_DAMAGED", message } });
