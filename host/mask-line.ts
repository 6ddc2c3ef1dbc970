import type { Json } from "./sdk.ts";
import { mask } from "./secrets.ts";

/**
 * Masks a log line, which is one JSON object. Its values are masked one by one, so that it stays JSON whatever a secret
 * looks like: a number, or a text such as `info`, which is also a level.
 */
export function maskLine(line: string): string {
  if (mask(line) === line) return line;
  const { level, time, ...own } = JSON.parse(line) as Record<string, Json>;
  return `${JSON.stringify({ level, time, ...(maskValue(own) as object) })}\n`;
}

function maskValue(value: Json): Json {
  if (typeof value === "string") return mask(value);
  if (typeof value === "number") {
    const text = String(value);
    const masked = mask(text);
    return masked === text ? value : masked;
  }
  if (Array.isArray(value)) return value.map(maskValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [mask(key), maskValue(member)]));
}
