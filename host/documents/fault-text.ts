// Faults for people and for programs.

import { styleText } from "node:util";
import { type Fault, faultCatalogue } from "./fault.ts";
import { lineOf } from "./places.ts";

const maxShown = 160;

/**
 * Several lines: where and what, the line with the wrong place underlined, and what was probably meant or how to put it
 * right. `text` is the document's, if it could be read.
 */
export function formatFault(fault: Fault, text: string | undefined, { colour }: { colour: boolean }): string {
  const paint = (style: "red" | "yellow" | "bold" | "dim", words: string) =>
    colour ? styleText(style, words, { validateStream: false }) : words;
  const { line, column, length, code, severity } = fault;
  const [file, message] = [printable(fault.file), printable(fault.message)];
  const suggestion = fault.suggestion === undefined ? undefined : printable(fault.suggestion);
  const word = severity === "fault" ? paint("red", "error") : paint("yellow", "note");
  const lines = [`${paint("bold", `${file}:${line}:${column}`)} ${word} ${message} ${paint("dim", `[${code}]`)}`];
  if (text !== undefined) {
    // Of a very long line only the part around the place.
    const from = column > maxShown / 2 ? column - 1 - maxShown / 2 : 0;
    const shown = printable(lineOf(text, line).slice(from, from + maxShown));
    const number = String(line);
    lines.push(`  ${paint("dim", `${number} |`)} ${shown}`);
    const mark = "^".repeat(Math.max(1, Math.min(length, from + maxShown - column + 1)));
    lines.push(
      `  ${" ".repeat(number.length)} ${paint("dim", "|")} ${" ".repeat(column - 1 - from)}${paint(severity === "fault" ? "red" : "yellow", mark)}`,
    );
  }
  // A name that was probably meant says all there is to do.
  if (suggestion !== undefined) lines.push(`  did you mean ${paint("bold", suggestion)}?`);
  else lines.push(`  ${paint("dim", faultCatalogue[code].remedy)}`);
  return lines.join("\n");
}

// Documents may come from anywhere, and a terminal obeys control characters. Each becomes one space, so places stay.
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, " ");
}

/** One line of `gantry validate --json`. */
export function faultAsJson({ file, line, column, pointer, code, message, suggestion, severity }: Fault): string {
  const base = { file, line, column, pointer, code, message };
  return JSON.stringify({
    ...base,
    ...(suggestion === undefined ? {} : { suggestion }),
    ...(severity === "note" ? { severity } : {}),
  });
}
