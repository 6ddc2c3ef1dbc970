// Patterns as the original has them, those of Go's filepath.Match: `*` and `?` stop at a slash and match a leading dot,
// `[a-z]`, `[^a]`, and `\` before a sign that means itself. There is no `**` and no `{}`.

import { PluginError } from "gantry";

/** Throws FILE_UPLOAD_PATTERN_INVALID, in Go's words. */
export function compileGoPattern(pattern: string): RegExp {
  let source = "";
  const signs = [...pattern];
  for (let at = 0; at < signs.length; at++) {
    const sign = signs[at]!;
    if (sign === "*") source += "[^/]*";
    else if (sign === "?") source += "[^/]";
    else if (sign === "[") {
      const { text, end } = classAt(signs, at);
      source += text;
      at = end;
    } else source += RegExp.escape(sign === "\\" ? signAt(signs, ++at) : sign);
  }
  return new RegExp(`^${source}$`, "su");
}

/** Whether it stands for more than itself. */
export function hasMeta(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

function classAt(signs: string[], start: number): { text: string; end: number } {
  let at = start + 1;
  const isNegated = signs[at] === "^";
  if (isNegated) at += 1;
  const ranges: string[] = [];
  const take = () => {
    // A range neither begins with a hyphen nor is the end of the class.
    if (["-", "]"].includes(signs[at] ?? "")) throw invalid();
    const taken = signs[at] === "\\" ? signAt(signs, ++at) : signAt(signs, at);
    at += 1;
    return taken;
  };
  while (signs[at] !== "]" || ranges.length === 0) {
    const low = take();
    let high = low;
    if (signs[at] === "-") {
      at += 1;
      high = take();
    }
    // What is the wrong way round matches nothing.
    if (low <= high) ranges.push(`\\u{${codeOf(low)}}-\\u{${codeOf(high)}}`);
    else ranges.push("");
  }
  const inside = ranges.join("");
  if (isNegated) return { text: inside === "" ? "[^/]" : `(?!/)[^${inside}]`, end: at };
  return { text: inside === "" ? "(?!)" : `(?!/)[${inside}]`, end: at };
}

function signAt(signs: string[], at: number): string {
  const sign = signs[at];
  if (sign === undefined) throw invalid();
  return sign;
}

const codeOf = (sign: string) => sign.codePointAt(0)!.toString(16);

const invalid = () => new PluginError("FILE_UPLOAD_PATTERN_INVALID", "syntax error in pattern");
