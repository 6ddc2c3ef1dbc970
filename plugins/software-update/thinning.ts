// Which statuses on the way are worth a message.

import type { Last } from "./reported.ts";

export interface Next {
  status: string;
  progress: number | null;
  /** Message and status code. */
  words: string;
  /** Whether another report says it when all is there. */
  isCounted: boolean;
}

/** Between two counted ones of a module, however many artifacts it has. */
const minIntervalMs = 400;

/** The progress to report, or undefined where nothing is. */
export function worthSaying(last: Last | undefined, next: Next, now: number): { progress: number | null } | undefined {
  if (last?.status !== next.status) return { progress: next.progress };
  const progress = Math.max(next.progress ?? 0, last.progress);
  const saysMore = progress > last.progress || (last.words !== undefined && next.words !== last.words);
  if (!saysMore) return undefined;
  if (next.isCounted && last.at !== undefined && now - last.at < minIntervalMs) return undefined;
  return { progress: next.progress === null ? null : progress };
}
