// What a plugin says without waiting for an answer, held to what the host takes. The host does not rely on it.

import type { Log, Progress } from "../sdk.ts";
import { defaultLimits } from "./limits.ts";
import { TokenBucket } from "./token-bucket.ts";

const progressRate = { perSecond: 10, burst: 20 };
const progressPauseMs = 100;
const maxTextLength = 16_384;
const maxFieldsLength = 65_536;

const lines = new TokenBucket(defaultLimits.logLines);
let dropped = 0;

/** Takes any fields, as the log of the host's own process does. */
export function writtenLog(log: Log): Log {
  const write =
    (level: keyof Log): Log[keyof Log] =>
    (text, fields) => {
      if (!lines.take()) {
        dropped += 1;
        return;
      }
      if (dropped > 0) log.warn(`${dropped} log lines were dropped`);
      dropped = 0;
      log[level](cut(String(text)), ...(fields === undefined ? [] : [sendable(fields)]));
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

/** Lets few reports through and always the last one. */
export function thinnedProgress(send: ((progress: Progress) => void) | undefined) {
  const rate = new TokenBucket(progressRate);
  let kept: Progress | undefined;
  let timer: NodeJS.Timeout | undefined;
  const sendKept = () => {
    clearTimeout(timer);
    timer = undefined;
    if (kept !== undefined) send?.(kept);
    kept = undefined;
  };
  return {
    report(progress: Progress) {
      kept = progress;
      if (rate.take()) sendKept();
      else timer ??= setTimeout(sendKept, progressPauseMs).unref();
    },
    end: sendKept,
  };
}

function sendable(fields: Record<string, unknown>): Record<string, unknown> {
  const plain = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? inWords(value) : value]),
  );
  try {
    if (JSON.stringify(plain).length <= maxFieldsLength) return plain;
    return { fields: "too large to be logged" };
  } catch (error) {
    return { fields: `cannot be logged: ${(error as Error).message}` };
  }
}

// As the host's log writes an error of its own.
function inWords(error: Error): Record<string, unknown> {
  const { code } = error as { code?: unknown };
  return { type: error.name, message: error.message, stack: error.stack, ...(code === undefined ? {} : { code }) };
}

const cut = (text: string) => (text.length > maxTextLength ? `${text.slice(0, maxTextLength)}...` : text);
