// The examples of a page, to be used as they stand there.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { JsonObject } from "../../host/sdk.ts";

export class PageExamples {
  readonly text: string;
  readonly #all: { text: string; value: JsonObject }[];
  readonly #used = new Set<string>();

  /** `name`: of a file in docs/. */
  constructor(name: string) {
    this.text = readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
    this.#all = [...this.text.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text]) => ({
      text: text!,
      value: JSON.parse(text!) as JsonObject,
    }));
  }

  /** The only one of which this holds; with `replace`, these words in it stand for others. */
  only(holds: (value: JsonObject) => boolean, replace: Record<string, string> = {}): JsonObject {
    const found = this.#all.filter(({ value }) => holds(value));
    assert.equal(found.length, 1, `${found.length} examples of which ${holds} holds`);
    const { text } = found[0]!;
    this.#used.add(text);
    const words = Object.entries(replace).reduce((all, [from, to]) => all.replaceAll(from, to), text);
    return JSON.parse(words) as JsonObject;
  }

  /** The commands in the blocks for a shell, each block as a whole. */
  commands(): string[] {
    return [...this.text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text]) => text!);
  }

  unused(): string[] {
    return this.#all.map(({ text }) => text).filter((text) => !this.#used.has(text));
  }
}
