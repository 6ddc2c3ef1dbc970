// Below this the engine looks at each place once; longer parts it searches in ways that can take the product of both
// lengths, which is minutes for texts of a megabyte.
const shortPart = 7;

/** Whether a part occurs in a text, in time that grows with the sum of their lengths (Knuth, Morris and Pratt). */
export function occurs(part: string, text: string): boolean {
  if (part.length < shortPart || part.length > text.length) return text.includes(part);
  const borders = bordersOf(part);
  let matched = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    while (matched > 0 && part.charCodeAt(matched) !== unit) matched = borders[matched - 1]!;
    if (part.charCodeAt(matched) === unit) matched += 1;
    if (matched === part.length) return true;
  }
  return false;
}

/** For each beginning of the part: how long the longest of its own beginnings is that it also ends with. */
function bordersOf(part: string): Uint32Array {
  const borders = new Uint32Array(part.length);
  let border = 0;
  for (let index = 1; index < part.length; index++) {
    const unit = part.charCodeAt(index);
    while (border > 0 && part.charCodeAt(border) !== unit) border = borders[border - 1]!;
    if (part.charCodeAt(border) === unit) border += 1;
    borders[index] = border;
  }
  return borders;
}
