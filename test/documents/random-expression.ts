// Random expressions that are sound where they stand: each reads only what can be seen there, and gives the kind of
// value that is wanted.

import { type Draw, pick } from "./draw.ts";

export type Wanted = "text" | "number" | "truth" | "list" | "any";

/** The paths that can be read at a place, by the kind of value they give. */
export type Sight = Readonly<Record<Wanted, readonly string[]>>;

export const nothing: Sight = { text: [], number: [], truth: [], list: [], any: [] };

export function seeing(sight: Sight, more: Partial<Sight>): Sight {
  const { text = [], number = [], truth = [], list = [], any = [] } = more;
  return {
    text: [...sight.text, ...text],
    number: [...sight.number, ...number],
    truth: [...sight.truth, ...truth],
    list: [...sight.list, ...list],
    any: [...sight.any, ...any],
  };
}

/** The same where another thing has this name. */
export function shadowing(sight: Sight, name: string): Sight {
  const without = (paths: readonly string[]) => paths.filter((path) => path !== name);
  const { text, number, truth, list, any } = sight;
  return {
    text: without(text),
    number: without(number),
    truth: without(truth),
    list: without(list),
    any: without(any),
  };
}

const comparisons = ["==", "!=", "<", "<=", ">", ">="];
const numbers = ["0", "1", "-2.5", "1e3"];
const texts = ["''", "'it''s'", "'ü }} x'", "'1.2.3'"];

/** One whole `${{ }}`. */
export function wholeExpression(draw: Draw, wanted: Wanted, sight: Sight): string {
  const space = pick(draw, " ", "", "\n ");
  return `\${{${space}${expression(draw, wanted, sight, 2)}${space}}}`;
}

/** A text with expressions in it, or without. */
export function textValue(draw: Draw, sight: Sight): string {
  return draw(2) === 0
    ? pick(draw, "plain", 'quoted "text"\n', "a {{ b }}")
    : `<${wholeExpression(draw, "any", sight)}> ${wholeExpression(draw, "any", sight)}`;
}

export function expression(draw: Draw, wanted: Wanted, sight: Sight, depth: number): string {
  const inner = (kind: Wanted) => expression(draw, kind, sight, depth - 1);
  const read = sight[wanted].length > 0 ? [() => pick(draw, ...sight[wanted])] : [];
  const more = depth > 0 ? computed[wanted] : [];
  const ways: ((inner: (kind: Wanted) => string, draw: Draw) => string)[] = [
    ...read,
    ...read,
    ...simple[wanted],
    ...more,
  ];
  return pick(draw, ...ways)(inner, draw);
}

type Way = (inner: (kind: Wanted) => string, draw: Draw) => string;

const simple: Record<Wanted, Way[]> = {
  text: [(_, draw) => pick(draw, ...texts)],
  number: [(_, draw) => pick(draw, ...numbers)],
  truth: [(_, draw) => pick(draw, "true", "false")],
  list: [() => "fromJSON('[1, \"a\"]')"],
  any: [(_, draw) => pick(draw, ...numbers, ...texts, "true", "null")],
};

const computed: Record<Wanted, Way[]> = {
  text: [
    (inner) => `format('{0} of {1}', ${inner("any")}, ${inner("number")})`,
    (inner) => `join(${inner("list")}, ${inner("text")})`,
    (inner) => `toJSON(${inner("any")})`,
    (inner) => `default(${inner("text")}, ${inner("text")})`,
  ],
  number: [
    (inner) => `length(${inner("list")})`,
    (inner) => `length(${inner("text")})`,
    (inner) => `add(${inner("number")}, ${inner("number")}, 1)`,
    (inner) => `default(${inner("number")}, 7)`,
  ],
  truth: [
    (inner) => `contains(${inner("text")}, ${inner("text")})`,
    (inner) => `contains(${inner("list")}, ${inner("any")})`,
    (inner) => `startsWith(${inner("text")}, 'a')`,
    (inner) => `endsWith(${inner("text")}, 'a')`,
    () => "semver('1.2.3', '^1.0.0')",
    (inner) => `!(${inner("truth")})`,
    (inner) => `(${inner("truth")} && ${inner("truth")})`,
    (inner) => `(${inner("truth")} || ${inner("truth")})`,
    (inner, draw) => `(${inner("number")} ${pick(draw, ...comparisons)} ${inner("number")})`,
    // The status of a step is held against what it can be, which a text at random is not.
    (inner) => `(${inner("list")} == ${inner("any")})`,
    (inner) => `(${inner("any")} != toJSON(${inner("any")}))`,
  ],
  list: [(inner) => `default(${inner("list")}, ${inner("list")})`],
  any: [
    (inner) => inner("text"),
    (inner) => inner("number"),
    (inner) => inner("truth"),
    (inner) => inner("list"),
    (inner) => `${inner("list")}[0]`,
    () => "fromJSON('{\"a\": {\"b\": 1}}').a['b']",
  ],
};
