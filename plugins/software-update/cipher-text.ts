// Text in hexadecimal or base64, in pieces of any size, to the bytes it stands for.

import { PluginError } from "gantry";

export type Format = "hex" | "base64";

/** How many characters stand for whole bytes. */
const group = { hex: 2, base64: 4 };

const forms = { hex: /^(?:[0-9a-fA-F]{2})*$/, base64: /^[A-Za-z0-9+/]*={0,2}$/ };

/** The bytes, piece by piece; blanks and line ends do not count. Throws SOFTWARE_UPDATE_CIPHER_INVALID. */
export async function* decoded(pieces: AsyncIterable<Buffer>, format: Format): AsyncGenerator<Buffer> {
  let rest = "";
  let isOver = false;
  const take = (text: string) => {
    const bytes = isOver ? undefined : decodeText(text, format);
    if (bytes === undefined) throw new PluginError("SOFTWARE_UPDATE_CIPHER_INVALID", `it is no text in ${format}`);
    isOver = text.endsWith("=");
    return bytes;
  };
  for await (const piece of pieces) {
    const text = rest + piece.toString("latin1").replaceAll(/\s+/g, "");
    const whole = text.length - (text.length % group[format]);
    rest = text.slice(whole);
    if (whole > 0) yield take(text.slice(0, whole));
  }
  if (rest !== "") yield take(rest);
}

/** Undefined where the text is none; base64 may lack what fills it up. */
export function decodeText(text: string, format: Format): Buffer | undefined {
  const isCut = format === "base64" && text.replace(/=+$/, "").length % 4 === 1;
  return forms[format].test(text) && !isCut ? Buffer.from(text, format) : undefined;
}
