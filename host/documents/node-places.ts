// Where the values of a document stand in its text. What is looked up once for a node is kept with it, so that a document
// with very many faults is not gone through once for each of them.

import type { Node } from "jsonc-parser";

/** Offset and length, in UTF-16 units. */
export interface Range {
  offset: number;
  length: number;
}

/** The value at a path; where it leads nowhere, the nearest one around it. */
export function nodeAt(tree: Node, path: readonly string[]): Node {
  let node = tree;
  for (const key of path) {
    const inner = node.type === "array" ? node.children?.[Number(key)] : membersOf(node).get(key);
    if (inner === undefined) return node;
    node = inner;
  }
  return node;
}

const members = new WeakMap<Node, Map<string, Node>>();

function membersOf(node: Node): Map<string, Node> {
  let found = members.get(node);
  if (found === undefined) {
    // Of two members of the same name the last one counts.
    found = new Map(
      (node.type === "object" ? node.children! : []).map(({ children }) => [children![0]!.value, children![1]!]),
    );
    members.set(node, found);
  }
  return found;
}

export function rangeOf(node: Node, where: "key" | "value" | "object"): Range {
  if (where === "key" && node.parent?.type === "property") return node.parent.children![0]!;
  if (where === "object" && (node.type === "object" || node.type === "array"))
    return { offset: node.offset, length: 1 };
  return node;
}

/** The range in the source of a part of a text value, which is given in the decoded text. */
export function rangeWithin(source: string, node: Node, { offset, length }: Range): Range {
  const begin = sourceOffset(source, node, offset);
  return { offset: begin, length: Math.max(1, sourceOffset(source, node, offset + length) - begin) };
}

// An escape such as \n or \u00e4 is longer in the source than in the text.
function sourceOffset(source: string, node: Node, decoded: number): number {
  const { at, longer } = escapesOf(source, node);
  let low = 0;
  let high = at.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at[middle]! < decoded) low = middle + 1;
    else high = middle;
  }
  const end = node.offset + Math.max(1, node.length - 1);
  return Math.min(node.offset + 1 + decoded + (low === 0 ? 0 : longer[low - 1]!), end);
}

/** Where a text has its escapes, decoded, and by how much the source is longer up to and with each. */
interface Escapes {
  at: number[];
  longer: number[];
}

const escapes = new WeakMap<Node, Escapes>();

function escapesOf(source: string, node: Node): Escapes {
  let found = escapes.get(node);
  if (found === undefined) {
    found = { at: [], longer: [] };
    let longer = 0;
    const end = node.offset + node.length - 1;
    for (let index = source.indexOf("\\", node.offset + 1); index >= 0 && index < end; ) {
      const length = source[index + 1] === "u" ? 6 : 2;
      found.at.push(index - node.offset - 1 - longer);
      longer += length - 1;
      found.longer.push(longer);
      index = source.indexOf("\\", index + length);
    }
    escapes.set(node, found);
  }
  return found;
}
