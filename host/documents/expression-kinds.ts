// What is known beforehand of the values that expressions give.

import { type ParsedText, parseText, type Tree, wholePathOf } from "../expressions/index.ts";
import type { Json } from "../sdk.ts";
import { closed, type Kind, kindOf, kindsOf, type Shape } from "./shapes.ts";
import { shapeAt, type Visible } from "./visible.ts";

/** Of a value of the document, with the expressions in it evaluated. */
export function shapeOfValue(value: Json, visible: Visible): Shape {
  if (typeof value === "string") return shapeOfText(value, visible);
  const kind = kindOf(value);
  if (kind !== "object") return { type: kind };
  return closed(
    Object.fromEntries(
      Object.entries(value as object).map(([key, inner]) => [key, shapeOfValue(inner, visible) ?? {}]),
    ),
  );
}

function shapeOfText(text: string, visible: Visible): Shape {
  const tree = onlyTree(parseText(text));
  if (tree === undefined) return { type: "string" };
  const path = wholePathOf(tree);
  if (path !== undefined) return shapeAt(path, visible);
  const kinds = kindsOfTree(tree, visible);
  return kinds === undefined ? undefined : { type: kinds };
}

/**
 * Of one whole expression, what kinds of value it may give; undefined where that is not known. What is missing is null, so
 * null counts only where it is all there is.
 */
export function kindsOfWhole(parsed: ParsedText, visible: Visible): Kind[] | undefined {
  const tree = onlyTree(parsed);
  const kinds = tree === undefined ? undefined : kindsOfTree(tree, visible);
  const others = kinds?.filter((kind) => kind !== "null") ?? [];
  return others.length === 0 ? kinds : others;
}

function onlyTree({ parts, whole, faults }: ParsedText): Tree | undefined {
  return whole && faults.length === 0 ? (parts.find((part) => typeof part !== "string") as Tree) : undefined;
}

const ofFunctions: ReadonlyMap<string, Kind> = new Map([
  ...["contains", "startsWith", "endsWith", "semver"].map((name) => [name, "boolean"] as const),
  ...["format", "join", "toJSON"].map((name) => [name, "string"] as const),
  ["length", "integer"] as const,
  ["add", "number"] as const,
]);

function kindsOfTree(tree: Tree, visible: Visible): Kind[] | undefined {
  switch (tree.kind) {
    case "literal":
      return [kindOf(tree.value)];
    case "context":
    case "member": {
      const path = wholePathOf(tree);
      return path === undefined ? undefined : kindsOf(shapeAt(path, visible));
    }
    case "call": {
      const kind = ofFunctions.get(tree.name);
      if (tree.name !== "default") return kind === undefined ? undefined : [kind];
      const [value, fallback] = tree.args.map((argument) => kindsOfTree(argument, visible));
      if (value === undefined || fallback === undefined) return undefined;
      return [...new Set([...value.filter((kind) => kind !== "null"), ...fallback])];
    }
    default:
      return ["boolean"];
  }
}
