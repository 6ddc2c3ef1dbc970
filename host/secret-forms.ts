// Finds many texts in another one. A regular expression of them would have to be made anew with every run that brings
// secrets along.

/** Texts shorter than this are not looked for. */
export const shortestForm = 4;

/** Texts of one beginning, by length: a place is compared once for each length, however many there are. */
type Lengths = Map<number, Map<string, number>>;

export class SecretForms {
  /** By their first characters; in it, how often each was added. */
  readonly #byBeginning = new Map<string, Lengths>();
  /** How many begin with two such letters: tells most places apart without making a text of them. */
  readonly #pairs = new Uint32Array(1 << 16);

  get isEmpty(): boolean {
    return this.#byBeginning.size === 0;
  }

  add(form: string): void {
    const beginning = form.slice(0, shortestForm);
    const lengths = this.#byBeginning.get(beginning) ?? (new Map() as Lengths);
    const forms = lengths.get(form.length) ?? new Map<string, number>();
    this.#byBeginning.set(beginning, lengths);
    lengths.set(form.length, forms);
    forms.set(form, (forms.get(form) ?? 0) + 1);
    this.#pairs[pairAt(form, 0)]! += 1;
  }

  remove(form: string): void {
    const beginning = form.slice(0, shortestForm);
    const lengths = this.#byBeginning.get(beginning)!;
    const forms = lengths.get(form.length)!;
    const count = forms.get(form)!;
    if (count > 1) forms.set(form, count - 1);
    else forms.delete(form);
    if (forms.size === 0) lengths.delete(form.length);
    if (lengths.size === 0) this.#byBeginning.delete(beginning);
    this.#pairs[pairAt(form, 0)]! -= 1;
  }

  /** The text with `***` in their places. */
  replaceIn(text: string): string {
    let replaced = "";
    let from = 0;
    for (let at = 0; at <= text.length - shortestForm; ) {
      const form = this.#pairs[pairAt(text, at)] === 0 ? undefined : this.#at(text, at);
      if (form === undefined) at += 1;
      else {
        replaced += `${text.slice(from, at)}***`;
        at += form.length;
        from = at;
      }
    }
    return from === 0 ? text : replaced + text.slice(from);
  }

  /** The longest one at this place, so that a secret which contains another one is hidden as a whole. */
  #at(text: string, at: number): string | undefined {
    let found: string | undefined;
    for (const [length, forms] of this.#byBeginning.get(text.slice(at, at + shortestForm)) ?? []) {
      const part = length > (found?.length ?? 0) ? text.slice(at, at + length) : "";
      if (forms.has(part)) found = part;
    }
    return found;
  }
}

const pairAt = (text: string, at: number) => ((text.charCodeAt(at) << 8) ^ text.charCodeAt(at + 1)) & 0xffff;
