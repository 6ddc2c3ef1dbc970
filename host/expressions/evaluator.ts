// A tree becomes a function once; evaluating is calling it.

import type { Json } from "../sdk.ts";
import { functions } from "./functions.ts";
import { compare, member, truth } from "./operators.ts";
import type { Tree } from "./syntax.ts";

/** What the names of an expression stand for; a name that is missing is null. */
export type Scope = Readonly<Record<string, Json | undefined>>;

export type Evaluator = (scope: Scope) => Json;

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
        return (scope) => member(of(scope), value);
      }
      const key = evaluatorOf(tree.key);
      return (scope) => member(of(scope), key(scope));
    }
    case "call": {
      const args = tree.args.map(evaluatorOf);
      const { call } = functions.get(tree.name)!;
      return (scope) => call(args.map((argument) => argument(scope)));
    }
    case "not": {
      const of = evaluatorOf(tree.of);
      return (scope) => !truth(of(scope), "!");
    }
    case "logical": {
      const args = tree.args.map(evaluatorOf);
      const { operator } = tree;
      if (operator === "&&") return (scope) => args.every((argument) => truth(argument(scope), operator));
      return (scope) => args.some((argument) => truth(argument(scope), operator));
    }
    case "compare": {
      const left = evaluatorOf(tree.left);
      const right = evaluatorOf(tree.right);
      const { operator } = tree;
      return (scope) => compare(operator, left(scope), right(scope));
    }
  }
}
