import { GantryError } from "../errors.ts";

/** A run that waits for its turn. */
export interface Waiting {
  readonly runId: string;
  readonly group: string | null;
  /** Called when its turn has come; it holds its place by then. */
  enter(): void;
}

/**
 * Lets runs in: at most one of a concurrency group and at most `maxOpen` in all; the others wait in order of arrival,
 * at most `maxWaiting` of them.
 */
export class Turnstile {
  readonly #maxOpen: number;
  readonly #maxWaiting: number;
  /** Which run holds a group. */
  readonly #holders = new Map<string, string>();
  /** By run, in order of arrival. */
  readonly #waiting = new Map<string, Waiting>();
  #open = 0;

  constructor(maxOpen: number, maxWaiting: number) {
    this.#maxOpen = maxOpen;
    this.#maxWaiting = maxWaiting;
  }

  /** Whether a run of this group would begin at once. */
  isFree(group: string | null): boolean {
    return this.#open < this.#maxOpen && (group === null || this.membersOf(group).length === 0);
  }

  /** The runs of a group: the one that is under way first, then those that wait, in order of arrival. */
  membersOf(group: string): string[] {
    const holder = this.#holders.get(group);
    const members = holder === undefined ? [] : [holder];
    for (const entry of this.#waiting.values()) if (entry.group === group) members.push(entry.runId);
    return members;
  }

  /** Throws QUEUE_FULL when one more could neither begin nor wait. */
  checkRoom(group: string | null): void {
    if (this.isFree(group) || this.#waiting.size < this.#maxWaiting) return;
    throw new GantryError("QUEUE_FULL", `${this.#waiting.size} runs wait already`);
  }

  /** Takes the place of a run that `isFree` let in, without waiting. */
  enter(runId: string, group: string | null): void {
    this.#open += 1;
    if (group !== null) this.#holders.set(group, runId);
  }

  wait(entry: Waiting): void {
    this.#waiting.set(entry.runId, entry);
    this.#admit();
  }

  /** Takes back a run that waits; false where it does not. */
  withdraw(runId: string): boolean {
    return this.#waiting.delete(runId);
  }

  isWaiting(runId: string): boolean {
    return this.#waiting.has(runId);
  }

  leave(group: string | null): void {
    this.#open -= 1;
    if (group !== null) this.#holders.delete(group);
    this.#admit();
  }

  #admit(): void {
    const passed = new Set<string>();
    for (const entry of this.#waiting.values()) {
      if (this.#open >= this.#maxOpen) return;
      const { runId, group } = entry;
      if (group !== null && (this.#holders.has(group) || passed.has(group))) {
        passed.add(group);
        continue;
      }
      this.#waiting.delete(runId);
      this.enter(runId, group);
      entry.enter();
    }
  }
}
