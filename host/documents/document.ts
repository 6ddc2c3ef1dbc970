// A JSON file as read: its value, and where everything in it stands.

import { readFileSync } from "node:fs";
import { type Node, type ParseError, parseTree } from "jsonc-parser";
import type { Json } from "../sdk.ts";
import { decode } from "./decode.ts";
import type { Fault, FaultCode } from "./fault.ts";
import { nodeAt, rangeOf, rangeWithin } from "./node-places.ts";
import { Places } from "./places.ts";
import { parsePointer, pointerTo } from "./pointer.ts";
import { aliasOf } from "./sound-part.ts";
import { describeSyntax } from "./syntax-fault.ts";

const maxDepth = 64;
const maxMessage = 2000;

export interface Document {
  file: string;
  text: string;
  value: Json;
  /** With positions; what `faultAt` looks things up in. */
  tree: Node;
  places: Places;
  /** Where misspelt keys are read as what they were meant to be: the pointer as read, and as written. */
  aliases?: ReadonlyMap<string, string>;
}

export interface DocumentReading {
  /** Undefined when the file cannot be used at all. */
  document: Document | undefined;
  faults: Fault[];
}

const reasons: Record<string, string | undefined> = {
  ENOENT: "there is no such file",
  EISDIR: "this is a folder; name the documents in it",
  EACCES: "this user may not read it",
};

export function readDocument(file: string): DocumentReading {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = reasons[code ?? ""] ?? message;
    return unusable(faultIn(file, { line: 1, column: 1, length: 1 }, "FILE_UNREADABLE", reason));
  }
  const decoded = decode(bytes);
  if ("text" in decoded) return parseDocument(file, decoded.text);
  return unusable(faultIn(file, { ...decoded, length: 1 }, decoded.code, decoded.message));
}

export function parseDocument(file: string, text: string): DocumentReading {
  const places = new Places(text);
  const deep = tooDeep(text);
  if (deep !== undefined)
    return unusable(
      faultIn(
        file,
        places.at(deep, 1),
        "DOCUMENT_TOO_DEEP",
        `objects and lists may be nested ${maxDepth} deep, and no deeper`,
      ),
    );
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: false, disallowComments: true, allowEmptyContent: false });
  if (errors.length > 0 || tree === undefined) {
    if (text.trim() === "") return unusable(faultIn(file, places.at(0, 1), "SYNTAX", "the file is empty"));
    const { offset, length, message } = describeSyntax(text, errors);
    return unusable(faultIn(file, places.at(offset, length), "SYNTAX", message));
  }
  const document = { file, text, value: JSON.parse(text) as Json, tree, places };
  return { document, faults: duplicateKeys(document, tree, []) };
}

export interface FaultOptions {
  code: FaultCode;
  message: string;
  /** value (default): the value at the pointer; key: its key; object: the opening brace or bracket there. */
  where?: "key" | "value" | "object";
  /** A part of a text value: offset and length in the decoded text. */
  within?: { offset: number; length: number };
  suggestion?: string;
  severity?: Fault["severity"];
}

/** A fault at a place of a document; where the pointer leads nowhere, at the nearest place around it. */
export function faultAt(document: Document, read: string, options: FaultOptions): Fault {
  const pointer = aliasOf(document.aliases, read);
  const { code, message, where = "value", within, suggestion, severity = "fault" } = options;
  const node = nodeAt(document.tree, parsePointer(pointer));
  const { offset, length } = within === undefined ? rangeOf(node, where) : rangeWithin(document.text, node, within);
  return {
    ...faultIn(document.file, document.places.at(offset, length), code, message),
    pointer,
    severity,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function duplicateKeys(document: Document, node: Node, path: string[]): Fault[] {
  if (node.type === "array")
    return node.children!.flatMap((child, index) => duplicateKeys(document, child, [...path, String(index)]));
  if (node.type !== "object") return [];
  const seen = new Map<string, number>();
  return node.children!.flatMap((property) => {
    const [key, value] = property.children as [Node, Node];
    const inner = [...path, key.value as string];
    const faults = duplicateKeys(document, value, inner);
    seen.set(key.value, (seen.get(key.value) ?? 0) + 1);
    if (seen.get(key.value) === 2) {
      const place = document.places.at(key.offset, key.length);
      faults.unshift({
        ...faultIn(
          document.file,
          place,
          "KEY_DUPLICATE",
          `\`${key.value}\` is already there; only one of them can count`,
        ),
        pointer: pointerTo(inner),
      });
    }
    return faults;
  });
}

function tooDeep(text: string): number | undefined {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') {
      for (index += 1; index < text.length && text[index] !== '"'; index++) if (text[index] === "\\") index += 1;
    } else if (character === "{" || character === "[") {
      depth += 1;
      if (depth > maxDepth) return index;
    } else if (character === "}" || character === "]") depth -= 1;
  }
  return undefined;
}

function faultIn(
  file: string,
  place: { line: number; column: number; length: number },
  code: FaultCode,
  message: string,
): Fault {
  const { line, column, length } = place;
  // A name in it may be as long as the document, and hold what would break the line.
  const shown = message.length > maxMessage ? `${message.slice(0, maxMessage)}...` : message;
  const inOneLine = shown.replaceAll(/[\p{Cc}\u2028\u2029]/gu, " ");
  return { file, line, column, length, pointer: "", code, message: inOneLine, severity: "fault" };
}

function unusable(fault: Fault): DocumentReading {
  return { document: undefined, faults: [fault] };
}
