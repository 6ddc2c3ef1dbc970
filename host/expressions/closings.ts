// Where the expressions of a text end.

interface Closing {
  offset: number;
  /** Whether the number of quotes before it is odd. */
  odd: boolean;
}

/**
 * Finds the `}}` that closes an expression: the next one with an even number of quotes between, so that texts in '' are
 * passed over. However many expressions a text has, it is looked through once.
 */
export class Closings {
  readonly #text: string;
  readonly #closings: Closing[];
  /** For the expressions that begin after an even and an odd number of quotes: how many closings lie before them. */
  readonly #passed = { even: 0, odd: 0 };
  #counted = 0;
  #odd = false;

  constructor(text: string) {
    this.#text = text;
    this.#closings = closingsOf(text);
  }

  /** The offset of the closing, or undefined; `from` must not decrease from call to call. */
  after(from: number): number | undefined {
    for (; this.#counted < from; this.#counted++) if (this.#text[this.#counted] === "'") this.#odd = !this.#odd;
    const even = this.#next("even", from);
    const odd = this.#next("odd", from);
    const [own, other] = this.#odd ? [odd, even] : [even, odd];
    // A quote that never ends must not hide the end of the expression: the fault is inside.
    return own ?? other;
  }

  #next(parity: "even" | "odd", from: number): number | undefined {
    const odd = parity === "odd";
    for (let at = this.#passed[parity]; ; at++) {
      const closing = this.#closings[at];
      if (closing !== undefined && (closing.offset < from || closing.odd !== odd)) continue;
      this.#passed[parity] = at;
      return closing?.offset;
    }
  }
}

function closingsOf(text: string): Closing[] {
  const closings: Closing[] = [];
  let odd = false;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === "'") odd = !odd;
    else if (text.startsWith("}}", index)) closings.push({ offset: index, odd });
  }
  return closings;
}
