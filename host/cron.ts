// Cron expressions and time zones, as far as the host knows them; croner does the calendar.

import { Cron } from "croner";

/** The times of a cron expression; all are epoch milliseconds. */
export interface CronTimes {
  /** The first one later than `time`; undefined when none ever comes. */
  after(time: number): number | undefined;
  /** The last one not later than `time`; undefined when there was none. */
  upTo(time: number): number | undefined;
}

/** Throws when either text is none; see `isCron` and `isTimezone`. Without a time zone that of the process holds. */
export function cronTimes(cron: string, timezone?: string): CronTimes {
  if (!isCron(cron)) throw new TypeError(`"${cron}" is no cron expression`);
  const pattern = parse(cron, timezone);
  return {
    after: (time) => pattern.nextRun(new Date(time))?.getTime(),
    // croner leaves out the reference itself, and counts in whole seconds.
    upTo: (time) => pattern.previousRuns(1, new Date(Math.floor(time / 1000) * 1000 + 1000))[0]?.getTime(),
  };
}

/** Five fields, six with seconds, or a name such as @daily. */
export function isCron(text: string): boolean {
  // croner would also take a single date.
  if (!/^@[a-z]+$/.test(text) && ![5, 6].includes(text.trim().split(/\s+/).length)) return false;
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

/** An IANA name such as Europe/Berlin. */
export function isTimezone(text: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

function parse(cron: string, timezone?: string): Cron {
  return new Cron(cron, { mode: "5-or-6-parts", ...(timezone === undefined ? {} : { timezone }) });
}
