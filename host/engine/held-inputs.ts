import { GantryError } from "../errors.ts";

/**
 * What runs hold in memory while they are under way or wait: their inputs. A few runs with large ones may need more than
 * ten thousand with small ones, so they are counted by their length as JSON. One run always has room.
 */
export class HeldInputs {
  readonly #mostLength: number;
  readonly #isHeld: (runId: string) => boolean;
  readonly #lengths = new Map<string, number>();
  #length = 0;

  /** `isHeld`: whether the run still has its input in memory. */
  constructor(mostLength: number, isHeld: (runId: string) => boolean) {
    this.#mostLength = mostLength;
    this.#isHeld = isHeld;
  }

  /** Throws QUEUE_FULL where there is no room beside what others hold. */
  checkRoom(length: number): void {
    if (this.#fits(length)) return;
    // Runs end in many ways, and few need to be looked after at once.
    for (const runId of [...this.#lengths.keys()]) if (!this.#isHeld(runId)) this.remove(runId);
    if (this.#fits(length)) return;
    const held = `${this.#lengths.size} runs hold inputs of ${Math.round(this.#length / 1_048_576)} MiB already`;
    throw new GantryError("QUEUE_FULL", `${held}, and at most ${this.#mostLength / 1_048_576} are possible`);
  }

  add(runId: string, length: number): void {
    this.remove(runId);
    this.#lengths.set(runId, length);
    this.#length += length;
  }

  remove(runId: string): void {
    this.#length -= this.#lengths.get(runId) ?? 0;
    this.#lengths.delete(runId);
  }

  #fits(length: number): boolean {
    return this.#length === 0 || this.#length + length <= this.#mostLength;
  }
}
