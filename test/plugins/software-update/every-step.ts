// Each step of the shipped documents deleted, repeated and moved changes what is seen, or is known not to, and why.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { allVariants, type Name, Observer, type Variant } from "./observing.ts";

interface Harmless {
  why: string;
  edit: Variant["edit"];
  /** By the name in brackets, or with the end of the place before it. */
  steps: string[];
}

/** Edits after which everything is seen as before. */
const harmless: Harmless[] = [
  {
    why: "what is done already is not done again",
    edit: "repeated",
    steps: [
      ...[
        "stage",
        "reuse",
        "artifacts",
        "fetch",
        "copy",
        "decrypt",
        "unpack",
        "save",
        "keep",
        "installed",
        "unfinished",
      ],
      ...["files/remove", "find", "forget", "cancel", "steps/2 (block)", "steps/2/steps/0 (block)"],
    ],
  },
  { why: "what has failed once is not reached again", edit: "repeated", steps: ["single"] },
  {
    why: "only one of the two is ever carried out",
    edit: "moved",
    steps: ["fetch", "single", "software-update/report FINISHED_CANCELED", "software-update/report CANCEL_REJECTED"],
  },
  {
    why: "one of the two says nothing",
    edit: "moved",
    steps: [
      ...["steps/1 (software-update/report DOWNLOADING)", "software-update/report INSTALLED", "keep", "forget"],
      "software-update/report REMOVED",
      ...["steps/0 (software-update/report CANCELING_WAITING)"],
    ],
  },
];

export function holdSteps(choose: (variant: Variant, index: number) => boolean): void {
  const variants = allVariants().filter((variant, index) => variant.place === undefined || choose(variant, index));

  describe("each step of the shipped documents matters:", { timeout: 1_200_000 }, () => {
    let observer: Observer;
    const asShipped = new Map<Name, unknown>();

    before(async () => {
      observer = await Observer.start(variants);
      for (const variant of variants.filter(({ place }) => place === undefined))
        asShipped.set(variant.document, await observer.observe(variant));
    });
    after(() => observer[Symbol.asyncDispose]());

    for (const variant of variants) {
      const { document, place, edit } = variant;
      if (place === undefined) continue;
      const known = harmless.find(
        (entry) =>
          entry.edit === edit &&
          entry.steps.some((step) => place.name.endsWith(step.includes("(") ? step : `(${step})`)),
      );
      test(`${document}: ${place.name}, ${edit}${known === undefined ? "" : `, is harmless: ${known.why}`}`, async () => {
        const seen = await observer.observe(variant);
        if (known === undefined) assert.notDeepEqual(seen, asShipped.get(document));
        else assert.deepEqual(seen, asShipped.get(document));
      });
    }

    test("what is seen of a document is the same each time", async () => {
      for (const variant of variants.filter(({ place }) => place === undefined))
        assert.deepEqual(await observer.observe(variant), asShipped.get(variant.document));
    });
  });
}
