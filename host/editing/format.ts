// One layout for documents. The text is laid out anew and otherwise stays as it is: order, spelling of numbers and
// texts, everything.

import type { Node } from "jsonc-parser";
import type { Document } from "../documents/document.ts";

/** What fits into a line of this width stays in one. */
const width = 120;

/** The document's text in Gantry's layout, with one line end at its end. */
export function formatDocument({ text, tree }: Document): string {
  return `${print(tree, text, "", 0)}\n`;
}

/** `before` is how many characters stand on the line already, `after` how many must follow. */
function print(node: Node, text: string, indent: string, before: number, after = 0): string {
  const flat = inOneLine(node, text);
  const isTop = indent === "" && before === 0 && node.type === "object";
  if (!isTop && indent.length + before + flat.length + after <= width) return flat;
  const { children = [] } = node;
  if (children.length === 0) return flat;
  const inner = `${indent}  `;
  const lines = children.map((child, index) => {
    const comma = index < children.length - 1 ? 1 : 0;
    if (child.type !== "property") return `${inner}${print(child, text, inner, 0, comma)}`;
    const [key, value] = child.children!;
    const name = `${source(key!, text)}: `;
    return `${inner}${name}${print(value!, text, inner, name.length, comma)}`;
  });
  const [open, close] = node.type === "array" ? "[]" : "{}";
  return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

function inOneLine(node: Node, text: string): string {
  const { type, children = [] } = node;
  if (type === "property") return `${source(children[0]!, text)}: ${inOneLine(children[1]!, text)}`;
  if (type !== "array" && type !== "object") return source(node, text);
  const parts = children.map((child) => inOneLine(child, text)).join(", ");
  if (type === "array") return `[${parts}]`;
  return parts === "" ? "{}" : `{ ${parts} }`;
}

const source = ({ offset, length }: Node, text: string) => text.slice(offset, offset + length);
