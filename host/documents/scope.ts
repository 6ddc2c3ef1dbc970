/** Names and what they stand for; an inner scope sees what the outer one has, also what it gets later. */
export class Scope<Value> {
  readonly #outer: Scope<Value> | undefined;
  readonly #own = new Map<string, Value>();

  constructor(outer?: Scope<Value>) {
    this.#outer = outer;
  }

  get(name: string): Value | undefined {
    return this.#own.has(name) ? this.#own.get(name) : this.#outer?.get(name);
  }

  has(name: string): boolean {
    return this.#own.has(name) || this.#outer?.has(name) === true;
  }

  set(name: string, value: Value): void {
    this.#own.set(name, value);
  }

  /** Of this scope alone. */
  delete(name: string): void {
    this.#own.delete(name);
  }

  *keys(): Generator<string> {
    yield* this.#own.keys();
    if (this.#outer !== undefined) yield* this.#outer.keys();
  }
}
