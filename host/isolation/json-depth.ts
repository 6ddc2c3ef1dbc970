const quote = 0x22;
const backslash = 0x5c;

/**
 * Whether JSON text nests its arrays and objects deeper than `levels`: what works through such a value by recursion would
 * run out of stack. The text need not be valid.
 */
export function isDeeperThan(levels: number, json: Buffer): boolean {
  if (json.length <= levels) return false;
  let depth = 0;
  let inText = false;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index]!;
    if (inText) {
      if (byte === backslash) index++;
      else if (byte === quote) inText = false;
    } else if (byte === quote) inText = true;
    // `[` and `{`, `]` and `}` differ in one bit.
    else if ((byte | 0x20) === 0x7b) {
      if (++depth > levels) return true;
    } else if ((byte | 0x20) === 0x7d) depth--;
  }
  return false;
}
