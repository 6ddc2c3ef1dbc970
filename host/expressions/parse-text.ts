// Texts of documents: plain, with `${{ }}` in between, or one whole `${{ }}`.

import { Closings } from "./closings.ts";
import type { Reference } from "./references.ts";
import { referencesOf } from "./references.ts";
import { parseExpression, type Tree } from "./syntax.ts";
import type { SyntaxFault } from "./syntax-faults.ts";
import type { Place } from "./tokens.ts";

export interface ExpressionFault extends Place {
  code: SyntaxFault["code"] | "EXPRESSION_UNCLOSED";
  message: string;
  suggestion?: string;
}

export interface ParsedText {
  /** Literal texts and expressions, in order. */
  parts: (string | Tree)[];
  /** Whether the text is one expression and nothing else, so that its value keeps its type. */
  whole: boolean;
  /** Their places are in the text, in UTF-16 units. */
  faults: ExpressionFault[];
  references: Reference[];
}

export interface ParseOptions {
  /** The names an expression may begin with here; without it every name is let through. */
  contexts?: readonly string[];
}

/** Whether a text has any `${{`. */
export function hasExpression(text: string): boolean {
  return text.includes("${{");
}

export function parseText(text: string, { contexts }: ParseOptions = {}): ParsedText {
  const parsed: ParsedText = { parts: [], whole: false, faults: [], references: [] };
  const closings = new Closings(text);
  let end = 0;
  for (let begin = text.indexOf("${{"); begin >= 0; begin = text.indexOf("${{", end)) {
    if (begin > end) parsed.parts.push(text.slice(end, begin));
    const close = closings.after(begin + 3);
    if (close === undefined) {
      const message = "`${{` is not closed by `}}`";
      parsed.faults.push({ code: "EXPRESSION_UNCLOSED", message, offset: begin, length: 3 });
      return parsed;
    }
    const { tree, faults } = parseExpression(text.slice(begin + 3, close), contexts);
    for (const fault of faults) parsed.faults.push(moved(fault, begin + 3));
    if (tree !== undefined) {
      parsed.parts.push(tree);
      for (const reference of referencesOf(tree))
        parsed.references.push({
          ...moved(reference, begin + 3),
          segments: reference.segments.map((part) => moved(part, begin + 3)),
        });
    }
    end = close + 2;
  }
  if (end < text.length) parsed.parts.push(text.slice(end));
  const expressions = parsed.parts.filter((part) => typeof part !== "string");
  const around = parsed.parts.filter((part) => typeof part === "string");
  parsed.whole = expressions.length === 1 && around.every((part) => part.trim() === "");
  return parsed;
}

function moved<Placed extends Place>(placed: Placed, by: number): Placed {
  return { ...placed, offset: placed.offset + by };
}
