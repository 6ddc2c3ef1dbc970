// Times as the original reads and writes them: RFC 3339 with nanoseconds, and Go's own text.

const form = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|([+-])(\d\d):(\d\d))$/;

export interface Timestamp {
  /** As it is written, offset kept, without needless zeros. */
  text: string;
  epochMs: number;
  /** As Go prints it. */
  goText: string;
}

/** What a time is that has not come. */
export const noTime = "0001-01-01T00:00:00Z";

/** Undefined where it is no time. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const [, year, month, day, hour, minute, second, fraction = "", zone, sign, zoneHour, zoneMinute] =
    form.exec(text) ?? [];
  if (zone === undefined) return undefined;
  const epochMs = Date.parse(
    `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, "0").slice(0, 3)}${zone}`,
  );
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  // The 30th of February is the 2nd of March for Date.
  if (Number.isNaN(epochMs) || Number(day) > days || Number(hour) > 23) return undefined;
  const short = fraction.slice(0, 9).replace(/0+$/, "");
  const part = short === "" ? "" : `.${short}`;
  const offset = zone === "Z" ? "+0000 UTC" : `${sign}${zoneHour}${zoneMinute} ${sign}${zoneHour}${zoneMinute}`;
  return {
    text: `${year}-${month}-${day}T${hour}:${minute}:${second}${part}${zone}`,
    epochMs,
    goText: `${year}-${month}-${day} ${hour}:${minute}:${second}${part} ${offset}`,
  };
}

/** With the local offset. */
export function formatTimestamp(epochMs: number): string {
  const minutes = -new Date(epochMs).getTimezoneOffset();
  const local = new Date(epochMs + minutes * 60_000)
    .toISOString()
    .slice(0, -1)
    .replace(/\.?0+$/, "");
  if (minutes === 0) return `${local}Z`;
  const two = (value: number) => String(Math.floor(Math.abs(value))).padStart(2, "0");
  return `${local}${minutes < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}
