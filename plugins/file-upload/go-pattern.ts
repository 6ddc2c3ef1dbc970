// Patterns as the original has them, those of Go's filepath.Match: `*` and `?` stop at a slash and match a leading dot,
// `[a-z]`, `[^a]`, and `\` before a sign that means itself. There is no `**` and no `{}`.

import { patternInvalid } from "./failures.ts";

/** A sign of a path fits it, or not; a star is any number of signs other than a slash. */
type Token = "*" | ((sign: string) => boolean);

export interface GoPattern {
  test(path: string): boolean;
}

/** Throws FILE_UPLOAD_PATTERN_INVALID, in Go's words. */
export function compileGoPattern(pattern: string): GoPattern {
  const tokens: Token[] = [];
  const signs = [...pattern];
  for (let at = 0; at < signs.length; at++) {
    const sign = signs[at]!;
    if (sign === "*") {
      if (tokens.at(-1) !== "*") tokens.push("*");
    } else if (sign === "?") tokens.push((other) => other !== "/");
    else if (sign === "[") {
      const { fits, end } = classAt(signs, at);
      tokens.push(fits);
      at = end;
    } else {
      const meant = sign === "\\" ? signAt(signs, ++at) : sign;
      tokens.push((other) => other === meant);
    }
  }
  return { test: (path) => matches([...path], tokens) };
}

// Not by a regular expression: that goes back to every star, and a hub's pattern could hold the host up for years. Going
// back to the last one is enough, as in Go: never more steps than signs times tokens.
function matches(signs: string[], tokens: Token[]): boolean {
  let [sign, token, star, taken] = [0, 0, -1, 0];
  while (sign < signs.length) {
    const wanted = tokens[token];
    if (wanted === "*") {
      star = token++;
      taken = sign;
    } else if (wanted?.(signs[sign]!)) {
      sign++;
      token++;
    } else if (star >= 0 && signs[taken] !== "/") {
      sign = ++taken;
      token = star + 1;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === "*");
}

/** Whether it stands for more than itself. */
export function hasMeta(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

function classAt(signs: string[], start: number): { fits: (sign: string) => boolean; end: number } {
  let at = start + 1;
  const isNegated = signs[at] === "^";
  if (isNegated) at += 1;
  const ranges: [number, number][] = [];
  const take = () => {
    // A range neither begins with a hyphen nor is the end of the class.
    if (["-", "]"].includes(signs[at] ?? "")) throw invalid();
    const taken = signs[at] === "\\" ? signAt(signs, ++at) : signAt(signs, at);
    at += 1;
    return taken.codePointAt(0)!;
  };
  while (signs[at] !== "]" || ranges.length === 0) {
    const low = take();
    let high = low;
    if (signs[at] === "-") {
      at += 1;
      high = take();
    }
    // What is the wrong way round matches nothing.
    ranges.push([low, high]);
  }
  const isWithin = (code: number) => ranges.some(([low, high]) => low <= code && code <= high);
  return { fits: (sign) => sign !== "/" && isWithin(sign.codePointAt(0)!) !== isNegated, end: at };
}

function signAt(signs: string[], at: number): string {
  const sign = signs[at];
  if (sign === undefined) throw invalid();
  return sign;
}

const invalid = () => patternInvalid("syntax error in pattern");
