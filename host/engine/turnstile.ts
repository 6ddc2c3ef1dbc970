import { GantryError } from "../errors.ts";

/**
 * Lets runs in: at most one of a concurrency group and at most `maxOpen` in all; the others wait in order of arrival,
 * at most `maxWaiting` of them.
 */
export class Turnstile {
  readonly #maxOpen: number;
  readonly #maxWaiting: number;
  readonly #busyGroups = new Set<string>();
  readonly #waiting: { group: string | null; enter: () => void }[] = [];
  #open = 0;

  constructor(maxOpen: number, maxWaiting: number) {
    this.#maxOpen = maxOpen;
    this.#maxWaiting = maxWaiting;
  }

  /** Whether a run of this group would begin at once. */
  isFree(group: string | null): boolean {
    return this.#open < this.#maxOpen && (group === null || !this.#busyGroups.has(group));
  }

  /** Throws QUEUE_FULL when one more could neither begin nor wait. */
  checkRoom(group: string | null): void {
    if (this.isFree(group) || this.#waiting.length < this.#maxWaiting) return;
    throw new GantryError("QUEUE_FULL", `${this.#waiting.length} runs wait already`);
  }

  /** Takes the place of a run that `isFree` let in, without waiting. */
  enter(group: string | null): void {
    this.#open += 1;
    if (group !== null) this.#busyGroups.add(group);
  }

  /** Calls `enter` when the run's turn has come; it holds its place by then. */
  wait(group: string | null, enter: () => void): void {
    this.#waiting.push({ group, enter });
    this.#admit();
  }

  leave(group: string | null): void {
    this.#open -= 1;
    if (group !== null) this.#busyGroups.delete(group);
    this.#admit();
  }

  #admit(): void {
    const passed = new Set<string>();
    for (let index = 0; index < this.#waiting.length && this.#open < this.#maxOpen; ) {
      const { group, enter } = this.#waiting[index]!;
      if (group !== null && (this.#busyGroups.has(group) || passed.has(group))) {
        passed.add(group);
        index += 1;
        continue;
      }
      this.#waiting.splice(index, 1);
      this.enter(group);
      enter();
    }
  }
}
