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
  #waiting: Waiting[] = [];
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
    const waiting = this.#waiting.length === 0 ? [] : this.#waiting.filter((entry) => entry.group === group);
    return [...(holder === undefined ? [] : [holder]), ...waiting.map(({ runId }) => runId)];
  }

  /** Throws QUEUE_FULL when one more could neither begin nor wait. */
  checkRoom(group: string | null): void {
    if (this.isFree(group) || this.#waiting.length < this.#maxWaiting) return;
    throw new GantryError("QUEUE_FULL", `${this.#waiting.length} runs wait already`);
  }

  /** Takes the place of a run that `isFree` let in, without waiting. */
  enter(runId: string, group: string | null): void {
    this.#open += 1;
    if (group !== null) this.#holders.set(group, runId);
  }

  wait(entry: Waiting): void {
    this.#waiting.push(entry);
    this.#admit();
  }

  /** Takes back a run that waits; false where it does not. */
  withdraw(runId: string): boolean {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((entry) => entry.runId !== runId);
    return this.#waiting.length < before;
  }

  isWaiting(runId: string): boolean {
    return this.#waiting.some((entry) => entry.runId === runId);
  }

  leave(group: string | null): void {
    this.#open -= 1;
    if (group !== null) this.#holders.delete(group);
    this.#admit();
  }

  #admit(): void {
    const passed = new Set<string>();
    for (let index = 0; index < this.#waiting.length && this.#open < this.#maxOpen; ) {
      const entry = this.#waiting[index]!;
      const { runId, group } = entry;
      if (group !== null && (this.#holders.has(group) || passed.has(group))) {
        passed.add(group);
        index += 1;
        continue;
      }
      this.#waiting.splice(index, 1);
      this.enter(runId, group);
      entry.enter();
    }
  }
}
