import type { PlaceStory } from "./story.ts";

export interface Axis {
  /** Epoch milliseconds. */
  from: number;
  to: number;
  /** Characters. */
  width: number;
}

/** When something went on at a place: `█` for work, `·` for waits; what is shorter than a character is one all the same. */
export function bar({ spans }: PlaceStory, { from, to, width }: Axis): string {
  const cells = Array.from({ length: width }, () => " ");
  const scale = width / Math.max(1, to - from);
  for (const span of spans) {
    const first = Math.min(width - 1, Math.floor((span.from - from) * scale));
    const last = Math.max(first, Math.min(width, Math.ceil(((span.to ?? to) - from) * scale)) - 1);
    for (let cell = first; cell <= last; cell++)
      if (span.kind === "work" || cells[cell] === " ") cells[cell] = symbols[span.kind];
  }
  return cells.join("").trimEnd();
}

const symbols = { work: "█", wait: "·" };
