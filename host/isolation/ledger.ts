import type { AnyFunction } from "./values.ts";

/** What one call has lent and borrowed on one side; open as long as it may be used. */
export interface Scope {
  isOpen: boolean;
  functions: number[];
  signals: number[];
}

export interface LentFunction {
  given: AnyFunction;
  scope: Scope;
  /** Whether the scope ends once this one has been called: it is the stop of what the call began. */
  endsScope: boolean;
}

/** What one side has lent to the other and got from it, by the ids on the wire. */
export class Ledger {
  readonly #functions = new Map<number, LentFunction>();
  /** Ends of listening, for signals lent; the means to abort, for signals borrowed. */
  readonly #lentSignals = new Map<number, () => void>();
  readonly #borrowedSignals = new Map<number, AbortController>();
  readonly #nextId: () => number;

  constructor(nextId: () => number) {
    this.#nextId = nextId;
  }

  open(): Scope {
    return { isOpen: true, functions: [], signals: [] };
  }

  close(scope: Scope): void {
    scope.isOpen = false;
    for (const id of scope.functions) this.#functions.delete(id);
    for (const id of scope.signals) {
      this.#lentSignals.get(id)?.();
      this.#lentSignals.delete(id);
      this.#borrowedSignals.delete(id);
    }
  }

  lendRoot(id: number, given: AnyFunction): void {
    this.#functions.set(id, { given, scope: this.open(), endsScope: false });
  }

  lend(given: AnyFunction, scope: Scope, endsScope: boolean): number {
    const id = this.#nextId();
    scope.functions.push(id);
    this.#functions.set(id, { given, scope, endsScope });
    return id;
  }

  /** `undefined` where nothing is lent under this id, or not any more. */
  find(id: unknown): LentFunction | undefined {
    return this.#functions.get(id as number);
  }

  lendSignal(signal: AbortSignal, scope: Scope, tell: (id: number, reason: unknown) => void): number {
    const id = this.#nextId();
    const aborted = () => tell(id, signal.reason);
    scope.signals.push(id);
    signal.addEventListener("abort", aborted, { once: true });
    this.#lentSignals.set(id, () => signal.removeEventListener("abort", aborted));
    return id;
  }

  borrowSignal(id: number, reason: Error | undefined, scope: Scope): AbortSignal {
    const controller = new AbortController();
    if (reason !== undefined) controller.abort(reason);
    scope.signals.push(id);
    this.#borrowedSignals.set(id, controller);
    return controller.signal;
  }

  /** The call may be over on this side already, so an unknown id is no mistake. */
  abort(id: unknown, reason: unknown): void {
    this.#borrowedSignals.get(id as number)?.abort(reason);
  }

  /** The other side has gone. */
  closeAll(reason: Error): void {
    this.#functions.clear();
    for (const forget of this.#lentSignals.values()) forget();
    for (const controller of this.#borrowedSignals.values()) controller.abort(reason);
    this.#lentSignals.clear();
    this.#borrowedSignals.clear();
  }
}
