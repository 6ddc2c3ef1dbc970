// The host's catalogue of errors: what each code means, what to do about it, and whether trying again can help.
// `docs/errors.md` explains the same codes to people; a test holds the two together. Plugins declare theirs in the
// `errors` of their manifest.

import { placeOf } from "./error-place.ts";
import type { JsonObject } from "./sdk.ts";
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
  ABORTED: {
    description: "A signal named by `abortOn` ended the run or the block, or a sibling that runs beside it failed.",
    remedy: "Nothing to do where this was intended; `gantry show RUN` tells which step or signal began it.",
    retryable: false,
  },
  RUN_CANCELLED: {
    description: "The run was cancelled.",
    remedy: "Start it again with `gantry retry RUN` where this was not intended.",
    retryable: false,
  },
  RUN_SUPERSEDED: {
    description: "A newer run of the same concurrency group took the place of this one.",
    remedy: "Nothing to do; set `concurrency.whenBusy` to queue or reject where runs should not end each other.",
    retryable: false,
  },
  GROUP_BUSY: {
    description: "Another run of the same concurrency group is under way, and `concurrency.whenBusy` is reject.",
    remedy: "Wait for the other run to end (`gantry runs`), or set `concurrency.whenBusy` to queue.",
    retryable: false,
  },
  REQUIREMENT_UNMET: {
    description: "Something that the workflow `requires` does not hold on this device.",
    remedy: "Compare the workflow's `requires` with the message; free the disk space, or update what is too old.",
    retryable: false,
  },
  RUN_ENDED: {
    description: "The run has ended already, so it cannot be cancelled.",
    remedy: "Nothing to do; `gantry show RUN` tells how it ended.",
    retryable: false,
  },
  RUN_NOT_ENDED: {
    description: "The run has not ended yet, so it cannot be repeated.",
    remedy: "Wait for its end (`gantry runs --follow`), or cancel it first with `gantry cancel RUN`.",
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
  // Uploads, whatever the server
  UPLOAD_FILE_UNREADABLE: {
    description: "The file to upload is not there, cannot be read, or is no regular file.",
    remedy: "Check `path`, and that the user of the host may read it (`ls -l PATH`); a link needs `followLinks`.",
    retryable: false,
  },
  UPLOAD_FILE_TRUNCATED: {
    description: "The file became shorter while it was uploaded.",
    remedy: "Upload it once nobody writes it any more: let what writes it rename it when it is complete.",
    retryable: true,
  },
  UPLOAD_FILE_GREW: {
    description: "The file became longer while it was uploaded.",
    remedy: "Set `allowGrowth` on the step to send as much as was there at the beginning, or upload the file later.",
    retryable: true,
  },
  UPLOAD_FILE_CHANGED: {
    description: "The file was written while it was uploaded, so that what was sent may be half old and half new.",
    remedy: "Find out what writes it (`lsof PATH`), and upload a copy, or when that has ended.",
    retryable: true,
  },
  UPLOAD_SERVER_UNREACHABLE: {
    description: "The server cannot be reached, or ended the connection in the middle.",
    remedy:
      "Check the address, the network and the server; give the step a `retry`: what has arrived is not sent again.",
    retryable: true,
  },
  UPLOAD_SERVER_SILENT: {
    description: "The connection stands, but the server took nothing and said nothing for too long.",
    remedy:
      "Look at the server's load; raise `silenceTimeout` of the plugin that uploads in plugins.json if it is slow.",
    retryable: true,
  },
  UPLOAD_PROXY_FAILED: {
    description: "The proxy on the way to the server opens no tunnel.",
    remedy: "Correct HTTPS_PROXY in the host's environment, or name the server in NO_PROXY.",
    retryable: true,
  },
  UPLOAD_TLS_UNTRUSTED: {
    description: "The server's certificate is signed by an authority that is not trusted.",
    remedy:
      "Name that authority's certificate in `caCert` (`serverCert` of file-upload), if the server is the right one.",
    retryable: false,
  },
  UPLOAD_TLS_WRONG_NAME: {
    description: "The server's certificate is for another name than the address has.",
    remedy: "Use the name in the certificate in the address, or give the server a certificate for its name.",
    retryable: false,
  },
  UPLOAD_TLS_EXPIRED: {
    description: "The server's certificate is not valid at the time that this device has.",
    remedy: "Check the device's clock with `date`; if it is right, renew the server's certificate.",
    retryable: false,
  },
  UPLOAD_TLS_FAILED: {
    description: "No secure connection comes about.",
    remedy: "See the reason in the message; the server must speak TLS 1.2 or newer, and may want a `clientCert`.",
    retryable: false,
  },
  UPLOAD_CERTIFICATE_UNREADABLE: {
    description: "A file with certificates or a key for uploads cannot be read, or holds none.",
    remedy:
      "Correct `caCert`, `clientCert`, `clientKey` or `serverCert`; they are PEM files, the key without a password.",
    retryable: false,
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
  PLUGIN_CRASHED: {
    description: "A plugin's process ended by itself.",
    remedy: "Read what it printed last in the log; the host starts it again. Report it to the plugin's author.",
    retryable: true,
  },
  PLUGIN_UNRESPONSIVE: {
    description: "A plugin's process gave no sign of life, or a step of it did not end though it was told to.",
    remedy: "The host ends the process and starts it again; ask the plugin's author what keeps it busy.",
    retryable: true,
  },
  PLUGIN_MEMORY: {
    description: "A plugin's process held more memory than it may.",
    remedy: "Raise `plugins[].memoryLimitMb` in plugins.json if it needs that much; otherwise report the leak.",
    retryable: true,
  },
  PLUGIN_PROTOCOL: {
    description: "A plugin's process sent the host something that Gantry's own code in it never sends.",
    remedy: "Look for code in the plugin that uses descriptor 3; if you do not trust it, remove it from plugins.json.",
    retryable: true,
  },
  PLUGIN_FLOOD: {
    description: "A plugin's process sent or printed more than the host can take.",
    remedy: "Ask the plugin's author to log and report less; a lower log level inside the plugin may be enough.",
    retryable: true,
  },
  PLUGIN_IN_USE: {
    description: "A plugin in the host's own process has changed, and code that is loaded there stays until its end.",
    remedy: "End `gantry dev` with Ctrl-C and start it again.",
    retryable: false,
  },
  PLUGIN_LEFT_OFF: {
    description: "A plugin's process failed again and again; the host does not start it any more.",
    remedy: "Read why in the log, put back the version that worked, then start the host again.",
    retryable: false,
  },
  PLUGIN_UNKNOWN: {
    description: "The configuration names no plugin from outside with this name.",
    remedy: "Look at `gantry plugin list`; Gantry's own plugins need no acceptance.",
    retryable: false,
  },
  PLUGIN_CHANGED: {
    description: "The files of a plugin are not those that were accepted when it was first used.",
    remedy: "If the change is intended, accept it with `gantry plugin accept NAME`; otherwise put the files back.",
    retryable: false,
  },
  PLUGIN_LOCK_BROKEN: {
    description: "plugins.lock.json, which holds what was accepted of each plugin, cannot be used.",
    remedy: "Put the file back from a copy; without the file, all plugins are accepted as they are now.",
    retryable: false,
  },
  MESSAGE_TOO_LARGE: {
    description: "A value is too large to pass between the host and a plugin's process.",
    remedy: "Write large values to a file in the run's directory and pass its path.",
    retryable: false,
  },
  CALL_ENDED: {
    description: "A plugin used something that it had been given for a call, after that call.",
    remedy: "Report it to the plugin's author: a step's context ends with the step, a listener with its subscription.",
    retryable: false,
  },
  SECRET_MISSING: {
    description: "A secret that the configuration or a workflow refers to cannot be found.",
    remedy:
      "Set the environment variable GANTRY_SECRET_<NAME> or <NAME> where the host runs, or a systemd credential of that name.",
    retryable: false,
  },
  PERMISSION_DENIED: {
    description: "A plugin tried something its manifest's `permissions` do not allow.",
    remedy: "Add the host or folder to `permissions` in the plugin's plugin.json, if it should be allowed.",
    retryable: false,
  },
  // gantry plugin test
  CONFORMANCE_README: {
    description: "A plugin's README lacks what its users need: a section for each step, or one of its settings.",
    remedy:
      "Write a section `plugin/step` with the words **Repeating it** and why that is safe, and name each setting between backticks.",
    retryable: false,
  },
  CONFORMANCE_IMPORT: {
    description: "Importing a plugin's module does something.",
    remedy: "Move it from the module's top level into `setup`.",
    retryable: false,
  },
  CONFORMANCE_START: {
    description: "A plugin does not start with the configuration of its examples, or these are no steps of a workflow.",
    remedy:
      "Correct `setup`, or `config`, `before` and `with` of the examples in plugin.json; name what `before` needs by `--with`.",
    retryable: false,
  },
  CONFORMANCE_NO_EXAMPLE: {
    description: "A step has no example, so nothing is known of how it behaves.",
    remedy: "Give the step `examples` in plugin.json; one that cannot be tried says why in `untried`.",
    retryable: false,
  },
  CONFORMANCE_EXAMPLE: {
    description: "An example does not end as plugin.json says.",
    remedy: "Correct the step or the example; one that is to fail names the code in `fails`.",
    retryable: false,
  },
  CONFORMANCE_RESULT: {
    description:
      "A step returns something that its `output` in plugin.json does not name, or other values than its example.",
    remedy: "Describe every member of the result under `output`, and correct `outputs` of the example.",
    retryable: false,
  },
  CONFORMANCE_PLAN: {
    description: "A step's `plan` fails, says nothing, or changes something.",
    remedy: "Let `plan` only look at its input and return a sentence.",
    retryable: false,
  },
  CONFORMANCE_ABORT: {
    description: "A step goes on long after its abort.",
    remedy: "Watch `context.signal`: pass it to everything that waits, and look at it in loops.",
    retryable: false,
  },
  CONFORMANCE_REPEAT: {
    description: "A step that was killed and repeated comes to another end than undisturbed.",
    remedy:
      "Write to a temporary name and rename, recognise what is done by `context.idempotencyKey` or a checkpoint; name members that may differ in `varies`.",
    retryable: false,
  },
  CONFORMANCE_PERMISSION: {
    description: "A plugin tries what the `permissions` in its manifest do not allow.",
    remedy: "Declare the folder, host or `run` in plugin.json if the plugin needs it; otherwise take the attempt out.",
    retryable: false,
  },
  CONFORMANCE_MEMORY: {
    description: "A plugin's process holds more memory than is declared.",
    remedy: "Hold less at once, or raise `memoryLimitMb` in plugin.json.",
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
  STORE_DENIED: {
    description: "The data folder, or something in it, belongs to another user.",
    remedy:
      "Run the command as the user of the host (`sudo -u USER gantry ...`), or give that user the whole folder (`chown -R`).",
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
  STORE_OLDER: {
    description: "An older Gantry wrote the data folder, and no host has worked in it since.",
    remedy: "Start the host (`gantry up`): it brings the tables up to date, and the same question is answered then.",
    retryable: true,
  },
  STORE_FULL: {
    description: "The disk of the data folder is full; what was to be written is not written, also not in part.",
    remedy: "Free space on the disk of `--data` (`gantry doctor` shows it); the host goes on by itself then.",
    retryable: true,
  },
  STORE_READ_ONLY: {
    description: "The data folder is on a file system that is read-only; what was to be written is not written.",
    remedy:
      "Mount it for writing (`mount -o remount,rw`); a disk that fails is turned read-only by the system, see dmesg.",
    retryable: true,
  },
  STORE_DAMAGED: {
    description: "A file of the data folder was damaged. At a start it is set aside and the last good copy is taken.",
    remedy:
      "Start the host again if it has not been; check the disk. What was set aside is in the data folder (`*.damaged-*`).",
    retryable: false,
  },
  DATABASE_FAILED: {
    description: "A plugin's database refused a statement, or what it holds is not what the plugin expects.",
    remedy: "Report it to the plugin's author, with the message; the database is in `databases` of the data folder.",
    retryable: false,
  },
  DATABASE_DENIED: {
    description:
      "A plugin tried to do something with its database that leads out of it, changes how it is kept, or may never end.",
    remedy:
      "Leave out ATTACH, VACUUM, PRAGMA, WITH RECURSIVE and transactions of one's own: `migrate` and `transaction` are there.",
    retryable: false,
  },
  // Commands and a running host
  CONTROL_FAILED: {
    description: "The control socket of a host cannot be opened, or the connection to the host broke.",
    remedy: "Look at the host's log; `gantry doctor` checks the socket (control.sock in the data folder).",
    retryable: true,
  },
  CONTROL_DENIED: {
    description: "The control socket of the host belongs to another user.",
    remedy: "Run the command as the user of the host (`sudo -u USER gantry ...`).",
    retryable: false,
  },
  HOST_FOREGROUND: {
    description: "A `gantry run` in the foreground works with the data folder, and takes no other runs.",
    remedy: "Wait for its end, or end it with Ctrl-C; or start a host that takes all runs with `gantry up`.",
    retryable: true,
  },
  // The author of a plugin
  PLUGIN_NAME_INVALID: {
    description: "A new plugin cannot have this name.",
    remedy: "Choose one of lower-case letters, digits and hyphens that begins with a letter, of 60 at most: my-lamp.",
    retryable: false,
  },
  PLUGIN_NAME_TAKEN: {
    description: "A new plugin would have the name of one of Gantry's own.",
    remedy: "Choose another name, for example with that of your company before it: acme-mqtt.",
    retryable: false,
  },
  PLUGIN_MANIFEST_BROKEN: {
    description: "The plugin.json of a folder cannot be used.",
    remedy: "Name the folder that holds it; `gantry validate FOLDER/plugin.json` shows each fault with its place.",
    retryable: false,
  },
  PLUGIN_TYPES_FAILED: {
    description: "A JSON Schema of a plugin.json cannot be put into TypeScript types.",
    remedy: "Mend that schema as the message says, or write the types of the plugin by hand.",
    retryable: false,
  },
  FOLDER_TAKEN: {
    description: "A new folder would take the place of something that is there.",
    remedy: "Choose another name, another folder with `--in`, or remove what is there.",
    retryable: false,
  },
  FOLDER_UNWRITABLE: {
    description: "A new folder cannot be made or written.",
    remedy: "Choose a folder that belongs to you with `--in`; `df` and `ls -ld` show a full disk and missing rights.",
    retryable: false,
  },
  WATCH_FAILED: {
    description: "`gantry dev` cannot watch a folder or file for changes.",
    remedy:
      "Check that it exists; where the system has no watches left, raise fs.inotify.max_user_watches with sysctl.",
    retryable: true,
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
  /** Where in the code it came about (`path:line:column`), for errors without a code of their own: they are mistakes. */
  place?: string;
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
  const place = carried.code === undefined ? placeOf(error) : undefined;
  return {
    code,
    message: error.message,
    retryable: carried.retryable ?? known?.retryable ?? true,
    ...(remedy === undefined ? {} : { remedy }),
    ...(carried.details === undefined ? {} : { details: carried.details }),
    ...(carried.answer === undefined ? {} : { answer: carried.answer }),
    ...(place === undefined ? {} : { place }),
  };
}
