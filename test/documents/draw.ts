/** A whole number from 0 up to, and without, this one. */
export type Draw = (below: number) => number;

/** The same numbers for the same seed: a document made of thousands of them is known by one (mulberry32). */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export function pick<Value>(draw: Draw, ...choices: readonly Value[]): Value {
  return choices[draw(choices.length)]!;
}
