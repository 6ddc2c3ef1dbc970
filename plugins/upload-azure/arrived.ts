// Which blocks the server has: what it says itself, or, to a signature that may not read, what this device remembers.

import type { BlockBlobClient } from "@azure/storage-blob";
import type { Json } from "gantry";
import type { Upload } from "gantry/toolkit/uploads";
import { isDenied, isMissing } from "./failures.ts";

/** A checkpoint: all blocks up to a number, and some beyond it, of one content. */
interface Remembered {
  identity: string;
  upTo: number;
  beyond: number[];
}

export class ArrivedBlocks {
  readonly #identity: string;
  #upTo = 0;
  readonly #beyond = new Set<number>();

  constructor(identity: string, checkpoint: Json | undefined) {
    this.#identity = identity;
    const remembered = checkpoint as Remembered | undefined;
    if (remembered?.identity !== identity) return;
    this.#upTo = remembered.upTo;
    for (const number of remembered.beyond) this.#beyond.add(number);
  }

  get isEmpty(): boolean {
    return this.#upTo === 0 && this.#beyond.size === 0;
  }

  has(number: number): boolean {
    return number <= this.#upTo || this.#beyond.has(number);
  }

  add(number: number): void {
    this.#beyond.add(number);
    while (this.#beyond.delete(this.#upTo + 1)) this.#upTo += 1;
  }

  forget(): void {
    this.#upTo = 0;
    this.#beyond.clear();
  }

  checkpoint(): Json {
    return { identity: this.#identity, upTo: this.#upTo, beyond: [...this.#beyond] };
  }

  /** Asks the server, where it lets itself be asked. `numberOf` gives the number of a block of this content. */
  async ask(client: BlockBlobClient, upload: Upload, numberOf: (id: string) => number | undefined): Promise<void> {
    try {
      const { uncommittedBlocks = [] } = await upload.exchange(undefined, (_, abortSignal) =>
        client.getBlockList("uncommitted", { abortSignal }),
      );
      this.forget();
      for (const { name } of uncommittedBlocks) {
        const number = numberOf(name);
        if (number !== undefined) this.add(number);
      }
    } catch (error) {
      if (isMissing(error)) this.forget();
      else if (!isDenied(error)) throw error;
    }
  }
}
