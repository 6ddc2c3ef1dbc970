// A page of docs read as what its reader does: files that are written, commands that are run, and what they print.

import { readFileSync } from "node:fs";

export type Deed =
  | { kind: "file"; path: string; text: string }
  | { kind: "commands"; lines: string[] }
  | { kind: "expected"; lines: string[] };

/** The deeds below a heading, up to the next one of its depth. A file's name stands in the words before its block. */
export function deedsBelow(page: string, heading: string): Deed[] {
  const text = readFileSync(page, "utf8");
  const from = text.indexOf(`\n${heading}\n`);
  if (from === -1) throw new Error(`${page} has no heading "${heading}"`);
  const part = untilHeading(text.slice(from + heading.length + 2), heading.indexOf(" "));
  const blocks = [...part.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  return blocks.map(({ index, 1: language, 2: body }) => {
    const paragraphs = part.slice(0, index).trimEnd().split("\n\n");
    return deedOf(paragraphs.at(-1)!, language!, body!);
  });
}

/** The lines before the next heading of this depth or above; what stands in blocks is no heading. */
function untilHeading(text: string, depth: number): string {
  let isBlock = false;
  const lines = text.split("\n");
  const end = lines.findIndex((line) => {
    if (line.startsWith("```")) isBlock = !isBlock;
    return !isBlock && new RegExp(`^#{1,${depth}} `).test(line);
  });
  return lines.slice(0, end === -1 ? undefined : end).join("\n");
}

function deedOf(before: string, language: string, text: string): Deed {
  const lines = text.split("\n").filter((line) => line !== "");
  if (language === "sh") return { kind: "commands", lines };
  if (language === "text") return { kind: "expected", lines };
  const paths = [...before.matchAll(/`([\w./-]+\.\w+)`/g)].map(([, path]) => path!);
  const path = paths.at(-1);
  if (path === undefined) throw new Error(`which file is this?\n${text}`);
  return { kind: "file", path, text };
}
