// The host's catalogue of errors: what each code means, what to do about it, and whether trying again can help.
// `docs/errors.md` explains the same codes to people; a test holds the two together. Plugins declare theirs in the
// `errors` of their manifest.

import type { Json, JsonObject } from "./sdk.ts";
import { PluginError, type PluginErrorOptions } from "./sdk.ts";

export interface ErrorEntry {
  /** What happened, in general. */
  description: string;
  /** Names the setting, file or command that puts it right. */
  remedy: string;
  /** Whether the same thing, tried again later, may succeed. */
  retryable: boolean;
}

export const catalogue = {
  // Runs and steps
  INPUT_INVALID: {
    description: "The input of a workflow or step does not match its schema.",
    remedy:
      "Compare the input with the workflow's `inputs` (or the step's input); `gantry validate` shows the document's faults.",
    retryable: false,
  },
  OUTPUT_TOO_LARGE: {
    description: "A step returned more than 1 MiB.",
    remedy: "Let the step write large results to a file in the run's directory and return its path.",
    retryable: false,
  },
  OUTPUT_INVALID: {
    description: "A step returned something that its manifest's output schema does not allow.",
    remedy: "Report it to the plugin's author; the plugin's `plugin.json` and its code disagree.",
    retryable: false,
  },
  STEP_FAILED: {
    description: "A step failed with an error that carries no code of its own.",
    remedy: "Read the message and the log of the run (`gantry show RUN`).",
    retryable: true,
  },
  STEP_TIMEOUT: {
    description: "A step did not end within its `timeout`.",
    remedy: "Raise the step's `timeout` in the workflow, or find out why it takes so long.",
    retryable: true,
  },
  STEP_UNKNOWN: {
    description: "A run needs a step that no active plugin has.",
    remedy: "Enable the plugin in plugins.json (`plugins[].enabled`), or put back the version that has the step.",
    retryable: false,
  },
  RUN_UNKNOWN: {
    description: "No run has this id.",
    remedy: "List the runs with `gantry runs`; `--data` must name the host's data folder.",
    retryable: false,
  },
  WORKFLOW_UNKNOWN: {
    description: "No workflow has this name.",
    remedy: "Name the document's file, or one of the workflows in the folders of plugins.json (`workflows`).",
    retryable: false,
  },
  WORKFLOW_BROKEN: {
    description: "A workflow document has faults.",
    remedy: "Correct the document; `gantry validate FILE` shows each fault with its place.",
    retryable: false,
  },
  QUEUE_FULL: {
    description: "Too many runs wait already; the new one is refused.",
    remedy: "Send fewer requests, or end the run that holds the queue up (`gantry runs`).",
    retryable: true,
  },
  EXPRESSION_FAILED: {
    description: "An expression could not be evaluated with the values of this run.",
    remedy:
      "Compare the expression with the values shown by `gantry show RUN`; use default(value, fallback) where a value may be missing.",
    retryable: false,
  },
  EXPRESSION_TOO_LARGE: {
    description: "A text computed by an expression grew above 64 KiB.",
    remedy: "Pass large values on as whole paths, or let a step write them to a file.",
    retryable: false,
  },
  HOST_STOPPING: {
    description: "The host is stopping; the run is suspended and goes on at the next start.",
    remedy: "Nothing to do; start the host again.",
    retryable: true,
  },
  // Plugins
  CONFIGURATION_INVALID: {
    description: "plugins.json has faults that leave nothing to start from.",
    remedy: "Correct plugins.json; `gantry validate` shows each fault with its place.",
    retryable: false,
  },
  PLUGIN_CONTRACT_BROKEN: {
    description: "A plugin's code does not contribute what its plugin.json says.",
    remedy: "Report it to the plugin's author, or put back the version that worked.",
    retryable: false,
  },
  PLUGIN_REFUSED: {
    description: "A plugin is not started because its entry in plugins.json, or its plugin.json, has faults.",
    remedy: "Correct them; `gantry validate` shows each fault with its place. Then start the host again.",
    retryable: false,
  },
  PLUGIN_START_FAILED: {
    description: "A plugin could not be imported, or its setup failed.",
    remedy: "Read the message, correct the plugin's `config` in plugins.json, and start the host again.",
    retryable: false,
  },
  PLUGIN_START_TIMEOUT: {
    description: "A plugin's setup did not end in time.",
    remedy: "Check what the plugin waits for, and start the host again; tell its author that setup must not wait.",
    retryable: false,
  },
  PLUGIN_UNAVAILABLE: {
    description: "A plugin cannot work because its real part is missing.",
    remedy: "Follow the remedy in the message; the host tries again by itself.",
    retryable: true,
  },
  SECRET_MISSING: {
    description: "A secret that the configuration refers to cannot be found.",
    remedy: "Set the environment variable GANTRY_SECRET_<NAME> or <NAME>, or a systemd credential of that name.",
    retryable: false,
  },
  PERMISSION_DENIED: {
    description: "A plugin tried something its manifest's `permissions` do not allow.",
    remedy: "Add the host or folder to `permissions` in the plugin's plugin.json, if it should be allowed.",
    retryable: false,
  },
  TRIGGER_UNKNOWN: {
    description: "A workflow needs a trigger that no active plugin has.",
    remedy: "Enable the plugin in plugins.json (`plugins[].enabled`), or put back the version that has the trigger.",
    retryable: false,
  },
  // Store
  STORE_FAILED: {
    description: "The data folder cannot be read or written.",
    remedy: "Check the disk's free space and health, and that the folder of `--data` belongs to the host's user.",
    retryable: true,
  },
  STORE_LOCKED: {
    description: "Another host works with this data folder.",
    remedy: "Stop the other host, or give this one a folder of its own with `--data`.",
    retryable: false,
  },
  STORE_MISSING: {
    description: "No host has kept anything in this data folder.",
    remedy: "Name the data folder of a host that has been started: `--data`.",
    retryable: false,
  },
  STORE_NEWER: {
    description: "The data folder was written by a newer Gantry.",
    remedy: "Install that version again, or start with an empty folder (`--data`).",
    retryable: false,
  },
  OUTBOX_FULL: {
    description: "Messages that cannot leave fill the outbox.",
    remedy: "Bring the broker back, so that the outbox drains.",
    retryable: true,
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof catalogue;

/** The host's own failure. `remedy` and `retryable` come from the catalogue. */
export class GantryError extends PluginError {
  readonly remedy: string;

  constructor(code: ErrorCode, message: string, options: PluginErrorOptions = {}) {
    super(code, message, { retryable: catalogue[code].retryable, ...options });
    this.name = "GantryError";
    this.remedy = catalogue[code].remedy;
  }
}

/** A failure as it is journaled, logged and read by expressions as `error`. */
export interface Failure {
  code: string;
  message: string;
  retryable: boolean;
  remedy?: string;
  details?: JsonObject;
  answer?: { status: number; error?: string };
  /** The innermost id of the step that failed, where it has one. */
  step?: string;
}

/**
 * Turns anything thrown into a failure. `declared` is the throwing plugin's `errors`; a system error's own code
 * (ENOENT, ECONNREFUSED) is kept.
 */
export function toFailure(error: unknown, declared: Record<string, ErrorEntry> = {}): Failure {
  if (!(error instanceof Error)) return { code: "STEP_FAILED", message: String(error), retryable: true };
  const carried = error as Partial<PluginError> & { remedy?: string };
  const code = typeof carried.code === "string" ? carried.code : "STEP_FAILED";
  const known: ErrorEntry | undefined = declared[code] ?? (catalogue as Record<string, ErrorEntry>)[code];
  const remedy = carried.remedy ?? known?.remedy;
  return {
    code,
    message: error.message,
    retryable: carried.retryable ?? known?.retryable ?? true,
    ...(remedy === undefined ? {} : { remedy }),
    ...(carried.details === undefined ? {} : { details: carried.details }),
    ...(carried.answer === undefined ? {} : { answer: carried.answer }),
  };
}

/** The failure as plain JSON, for expressions and the journal. */
export function failureAsJson(failure: Failure): Json {
  return JSON.parse(JSON.stringify(failure)) as Json;
}
