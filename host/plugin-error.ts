// How a plugin fails; part of the contract (`sdk.ts`).

import type { JsonObject } from "./sdk.ts";

export interface PluginErrorOptions {
  /** Facts for programs: JSON, no secrets. */
  details?: JsonObject;
  /** Overrides what the manifest's `errors` says of this code. */
  retryable?: boolean;
  /** How a trigger whose protocol has answers reports this failure. */
  answer?: { status: number; error?: string };
  cause?: unknown;
}

/**
 * A failure with a code. Declare the code in the manifest's `errors` (what it means, its remedy, whether a retry can
 * help); the host adds the remedy from there.
 */
export class PluginError extends Error {
  readonly code: string;
  readonly details?: JsonObject;
  readonly retryable?: boolean;
  readonly answer?: { status: number; error?: string };

  constructor(code: string, message: string, options: PluginErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "PluginError";
    this.code = code;
    if (options.details !== undefined) this.details = options.details;
    if (options.retryable !== undefined) this.retryable = options.retryable;
    if (options.answer !== undefined) this.answer = options.answer;
  }
}

/**
 * Thrown from `setup` when the real part behind a plugin is missing (no socket, no device). The host reports the
 * plugin as unavailable with this reason and remedy, goes on with the rest, and calls `setup` again later.
 */
export class PluginUnavailable extends PluginError {
  readonly remedy: string;

  constructor(reason: string, remedy: string, options: PluginErrorOptions = {}) {
    super("PLUGIN_UNAVAILABLE", reason, options);
    this.name = "PluginUnavailable";
    this.remedy = remedy;
  }
}
