import { fileURLToPath } from "node:url";

/** Gantry's own code, which calls that of plugins. */
const own = new URL("./", import.meta.url).href;

/**
 * Where in the code of a plugin an error came about, as `path:line` or `path:line:column`: for who has to mend it.
 * `undefined` where its stack names no file of a plugin.
 */
export function placeOf({ stack = "" }: Error): string | undefined {
  // What cannot be read as code has its place ahead of the message; all else in the lines of the stack.
  const head = /^(file:\/\/.+:\d+)\n/.exec(stack)?.[1];
  const lines = [...stack.matchAll(/^ +at (?:async |.*\()?(file:\/\/.+?:\d+:\d+)\)?$/gm)].map(([, place]) => place!);
  const place = head ?? lines.find((line) => !line.startsWith(own));
  if (place === undefined) return undefined;
  const [, url, position] = /^(.*?)((?::\d+){1,2})$/.exec(place)!;
  try {
    return `${fileURLToPath(url!)}${position}`;
  } catch {
    return undefined;
  }
}
