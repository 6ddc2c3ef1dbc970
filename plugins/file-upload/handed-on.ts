import { optionsTooLong } from "./failures.ts";

/** Together: they go out again with each request, or each report. */
const maxLength = 16_384;

/** The options whose names begin with the prefix, without it. Throws FILE_UPLOAD_OPTIONS_INVALID. */
export function handedOn(options: Record<string, string>, prefix: string): Record<string, string> {
  const given = Object.entries(options).filter(([name]) => name.startsWith(prefix));
  const length = given.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (length > maxLength) throw optionsTooLong(prefix, maxLength);
  return Object.fromEntries(given.map(([name, value]) => [name.slice(prefix.length), value]));
}
