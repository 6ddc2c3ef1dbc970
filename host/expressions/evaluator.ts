// A tree becomes a function once; evaluating is calling it.

import type { Json, JsonObject } from "../sdk.ts";
import { functions } from "./functions.ts";
import { compare, member, truth } from "./operators.ts";
import type { Tree } from "./syntax.ts";
import type { Work } from "./work.ts";

/** What the names of an expression stand for; a name that is missing is null. */
export type Scope = Readonly<Record<string, Json | undefined>>;

/** Throws EXPRESSION_FAILED or EXPRESSION_TOO_LARGE. */
export type Evaluator = (scope: Scope, work: Work) => Json;

export function evaluatorOf(tree: Tree): Evaluator {
  switch (tree.kind) {
    case "literal": {
      const { value } = tree;
      return () => value;
    }
    case "context": {
      const { name } = tree;
      return (scope) => (Object.hasOwn(scope, name) ? (scope[name] ?? null) : null);
    }
    case "member": {
      const of = evaluatorOf(tree.of);
      if (tree.key.kind === "literal") {
        const { value } = tree.key;
        return (scope, work) => member(of(scope, work), value);
      }
      const key = evaluatorOf(tree.key);
      return (scope, work) => member(of(scope, work), key(scope, work));
    }
    case "call": {
      const args = tree.args.map(evaluatorOf);
      const { call } = functions.get(tree.name)!;
      return (scope, work) =>
        call(
          args.map((argument) => argument(scope, work)),
          work,
        );
    }
    case "not": {
      const of = evaluatorOf(tree.of);
      return (scope, work) => !truth(of(scope, work), "!");
    }
    case "logical": {
      const args = tree.args.map(evaluatorOf);
      const { operator } = tree;
      if (operator === "&&") return (scope, work) => args.every((argument) => truth(argument(scope, work), operator));
      return (scope, work) => args.some((argument) => truth(argument(scope, work), operator));
    }
    case "compare": {
      const left = evaluatorOf(tree.left);
      const right = evaluatorOf(tree.right);
      const { operator } = tree;
      return (scope, work) => compare(operator, left(scope, work), right(scope, work), work);
    }
  }
}

/** Reads a path that is written out; gives the very value, at no cost that grows with it. */
export function pathReader(path: readonly (string | number)[]): (scope: Scope) => Json {
  const readers = path.map(memberReader);
  return (scope) => {
    let value: Json | undefined = scope as JsonObject;
    for (const read of readers) value = read(value);
    return value ?? null;
  };
}

const inherited = new Set(Object.getOwnPropertyNames(Object.prototype));

// The same as member(), with what follows from the key alone decided once.
function memberReader(key: string | number): (of: Json | undefined) => Json | undefined {
  if (typeof key === "number") return (of) => (Array.isArray(of) ? of[key] : null);
  if (inherited.has(key)) return (of) => member(of, key);
  return (of) => (typeof of === "object" && of !== null && !Array.isArray(of) ? of[key] : null);
}
