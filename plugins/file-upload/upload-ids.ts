// Correlation ids: a trigger's names the batch, and with `#` and a number one file of it.

export const fileId = ({ batch, number }: { batch: string; number: number }) => `${batch}#${number}`;

/** Undefined where it cannot be one of a file. */
export function parseFileId(id: string): { batch: string; number: number } | undefined {
  const [, batch, number] = /^(.*)#([1-9]\d{0,8})$/s.exec(id) ?? [];
  return batch === undefined ? undefined : { batch, number: Number(number) };
}

/** Ids for triggers without one: `upload-id-<k>`, from the time of the start in seconds on. */
export class GeneratedIds {
  #last: number;

  constructor(startedAt: number) {
    this.#last = Math.floor(startedAt / 1000);
  }

  next(): string {
    this.#last += 1;
    return `upload-id-${this.#last}`;
  }
}
