// One plugin from its first start to its stop: active, or unavailable and tried again, or failed.

import type { Clock } from "../clock.ts";
import { type ErrorCode, GantryError, toFailure } from "../errors.ts";
import type { HostLog } from "../log.ts";
import { type Contributions, type PluginContext, PluginUnavailable } from "../sdk.ts";
import { checkContributions } from "./contributions.ts";
import { withDeadline } from "./deadline.ts";
import type { CarrierEvents, CarrierProcess, StartPlugin } from "./in-process.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";

export interface PluginState {
  name: string;
  version: string;
  state: "active" | "unavailable" | "failed" | "stopped";
  /** Why it is not active. */
  reason?: string;
  remedy?: string;
  code?: string;
  /** Where it has a process of its own. */
  pid?: number;
  residentBytes?: number;
  /** How often it was started again because its process had failed. */
  restarts?: number;
  /** Why its process failed last; `at` is ISO 8601. */
  lastError?: { code: string; message: string; at: string };
}

type Standing = Pick<PluginState, "state" | "reason" | "remedy" | "code">;

export interface PluginLifeOptions {
  start: StartPlugin;
  /** Made anew for each call of `setup`. */
  context: () => PluginContext;
  log: HostLog;
  clock: Clock;
  setupTimeoutMs: number;
  stopTimeoutMs: number;
  retryDelayMs: { first: number; longest: number };
  /** So many failures of its process within that time, and it is left off. */
  restarts: { most: number; withinMs: number };
  /** Called when the state changes after the first attempt. */
  onChange: (life: PluginLife) => void;
}

export class PluginLife {
  readonly plugin: InstalledPlugin;
  readonly #options: PluginLifeOptions;
  /** Those whose plugins must be active before this one. */
  readonly #required: PluginLife[];
  #contributions: Contributions | undefined;
  #state: Standing = { state: "stopped" };
  #process: CarrierProcess | undefined;
  /** When its process failed, as far as that still counts. */
  #failures: number[] = [];
  #restarts = 0;
  #lastError: PluginState["lastError"];
  #attempt: Promise<void> | undefined;
  #callOff: (() => void) | undefined;
  #retries = 0;
  #stopping = false;
  readonly #givenUp = new AbortController();

  constructor(plugin: InstalledPlugin, required: PluginLife[], options: PluginLifeOptions) {
    this.plugin = plugin;
    this.#required = required;
    this.#options = options;
  }

  get state(): PluginState {
    return { name: this.plugin.name, version: this.plugin.manifest.version, ...this.#state, ...this.#processState() };
  }

  get isActive(): boolean {
    return this.#state.state === "active";
  }

  /** What the plugin contributes; throws why it does not now (PLUGIN_UNAVAILABLE, or the code it failed with). */
  contributions(): Contributions {
    if (this.#contributions !== undefined) return this.#contributions;
    const { state, code, reason, remedy } = this.#state;
    const message = `plugin ${this.plugin.name} ${state === "failed" ? "has" : "is"} ${state}${reason === undefined ? "" : `: ${reason}`}`;
    if (state === "failed") throw new GantryError(code as ErrorCode, message);
    throw new PluginUnavailable(message, remedy ?? "Start the host again.");
  }

  /** Makes the first attempt once those of all required plugins have ended; never rejects. */
  async start(): Promise<void> {
    this.#attempt = (async () => {
      await Promise.all(this.#required.map((life) => life.#attempt));
      await this.#tryStart();
    })();
    await this.#attempt;
  }

  /** Follows a required plugin that became active, or failed, later. */
  requirementChanged(life: PluginLife): void {
    if (this.#state.state === "unavailable" && this.#required.includes(life) && this.#retries === 0) this.#again();
  }

  /** Stops it, if it is active, and starts it again, also when it was left off or waits; never rejects. */
  async restart(): Promise<void> {
    await this.#attempt;
    if (this.#stopping) return;
    this.#callOff?.();
    this.#failures = [];
    this.#retries = 0;
    await this.#stopCleanly();
    this.#contributions = undefined;
    this.#again();
    await this.#attempt;
  }

  /** Makes no further attempt. */
  noMoreAttempts(): void {
    this.#stopping = true;
    this.#callOff?.();
  }

  /** Ends the plugin; never rejects. Safe to call again. */
  async stop(): Promise<void> {
    this.noMoreAttempts();
    await this.#stopCleanly();
    this.#givenUp.abort(new GantryError("HOST_STOPPING", "the host is stopping"));
    this.#contributions = undefined;
    if (this.#state.state !== "failed") this.#state = { state: "stopped" };
  }

  async #stopCleanly(): Promise<void> {
    const { log, stopTimeoutMs } = this.#options;
    const late = () => new Error(`it does not stop within ${stopTimeoutMs} ms`);
    try {
      await withDeadline(this.#end(), stopTimeoutMs, late);
    } catch (error) {
      log.warn(`plugin ${this.plugin.name} does not stop cleanly`, { plugin: this.plugin.name, err: error });
    }
  }

  async #end(): Promise<void> {
    await this.#attempt;
    await this.#contributions?.stop?.();
  }

  #again(): void {
    this.#attempt = this.#tryStart().then(() => {
      if (!this.#stopping && this.#state.state !== "unavailable") this.#options.onChange(this);
    });
  }

  async #tryStart(): Promise<void> {
    if (this.#stopping) return;
    const blocked = this.#blockedBy();
    if (blocked !== undefined) {
      this.#state = blocked;
      // From now on it follows those that it requires.
      this.#retries = 0;
      this.#report();
      return;
    }
    try {
      this.#contributions = await this.#setUp();
      this.#state = { state: "active" };
    } catch (error) {
      if (this.#stopping) return;
      if (isProcessFailure(error)) {
        this.#processFailed(error);
        return;
      }
      const { code, message, remedy } = toFailure(startFailure(error));
      const state = code === "PLUGIN_UNAVAILABLE" ? "unavailable" : "failed";
      this.#state = { state, code, reason: message, ...(remedy === undefined ? {} : { remedy }) };
      if (state === "unavailable") this.#retryLater();
    }
    this.#report();
  }

  async #setUp(): Promise<Contributions> {
    const { start, context, setupTimeoutMs } = this.#options;
    const abandoned = new AbortController();
    const events: CarrierEvents = {
      givenUp: abandoned.signal,
      onProcess: (process) => {
        this.#process = process;
      },
    };
    const started = (async () => start(this.plugin, context(), events))();
    const late = () => new GantryError("PLUGIN_START_TIMEOUT", `its setup did not end within ${setupTimeoutMs} ms`);
    try {
      const contributions: unknown = await withDeadline(started, setupTimeoutMs, late, this.#givenUp.signal);
      checkContributions(this.plugin.manifest, contributions);
      void this.#followProcess(this.#process);
      return contributions;
    } catch (error) {
      abandoned.abort(error);
      // Whatever setup took, now or later, is given back.
      void started.then((contributions) => contributions?.stop?.()).catch(() => {});
      throw error;
    }
  }

  async #followProcess(process: CarrierProcess | undefined): Promise<void> {
    const error = await process?.ended;
    if (error === undefined || this.#stopping || this.#process !== process) return;
    // Not before the attempt that started it has said that it is active.
    await this.#attempt;
    this.#contributions = undefined;
    this.#processFailed(error);
    if (this.#state.state === "failed") this.#options.onChange(this);
  }

  #processFailed({ code, message, remedy }: GantryError): void {
    const { restarts, log, clock } = this.#options;
    const now = clock.now();
    this.#lastError = { code, message, at: new Date(now).toISOString() };
    this.#failures = [...this.#failures.filter((at) => at > now - restarts.withinMs), now];
    const facts = { plugin: this.plugin.name, code };
    if (this.#failures.length >= restarts.most) {
      const reason = `its process failed ${this.#failures.length} times, at last because ${message}`;
      const off = new GantryError("PLUGIN_LEFT_OFF", reason);
      this.#state = { state: "failed", code: off.code, reason, remedy: off.remedy };
      log.error(`plugin ${this.plugin.name} is left off: ${reason}`, facts);
      return;
    }
    this.#state = { state: "unavailable", code, reason: message, remedy };
    this.#restarts += 1;
    this.#retries = this.#failures.length - 1;
    log.error(`plugin ${this.plugin.name} failed and is started again: ${message}`, facts);
    this.#retryLater();
  }

  #processState(): Partial<PluginState> {
    if (this.#process === undefined) return {};
    const { pid, residentBytes } = this.#process;
    return {
      ...(residentBytes === undefined || pid === undefined ? {} : { pid, residentBytes }),
      restarts: this.#restarts,
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    };
  }

  #blockedBy(): Standing | undefined {
    const { refusal } = this.plugin;
    if (refusal !== undefined) {
      const { code, message, remedy } = new GantryError("PLUGIN_REFUSED", refusal);
      return { state: "failed", code, reason: message, remedy };
    }
    const missing =
      this.#required.find((life) => life.#state.state === "failed") ?? this.#required.find((life) => !life.isActive);
    if (missing === undefined) return undefined;
    const { name, state, reason, remedy } = missing.state;
    return {
      state: state === "failed" ? "failed" : "unavailable",
      code: state === "failed" ? "PLUGIN_START_FAILED" : "PLUGIN_UNAVAILABLE",
      reason: `it requires plugin ${name}, which is ${state}${reason === undefined ? "" : `: ${reason}`}`,
      ...(remedy === undefined ? {} : { remedy }),
    };
  }

  #retryLater(): void {
    if (this.#stopping) return;
    const { first, longest } = this.#options.retryDelayMs;
    const delayMs = Math.min(first * 2 ** Math.min(this.#retries, 30), longest);
    this.#retries += 1;
    this.#callOff = this.#options.clock.after(delayMs, () => this.#again());
  }

  #report(): void {
    const { log } = this.#options;
    const { name, state, reason, ...fields } = this.state;
    const facts: Record<string, unknown> = { plugin: name, ...fields };
    delete facts.residentBytes;
    if (state === "active") log[this.#retries > 0 ? "info" : "debug"](`plugin ${name} is active`, facts);
    else if (state === "failed") log.error(`plugin ${name} failed: ${reason}`, facts);
    // A plugin stays unavailable for hours, so only its first attempt is worth a warning.
    else log[this.#retries > 1 ? "debug" : "warn"](`plugin ${name} is unavailable: ${reason}`, facts);
  }
}

const processFailures = ["PLUGIN_CRASHED", "PLUGIN_UNRESPONSIVE", "PLUGIN_MEMORY", "PLUGIN_PROTOCOL", "PLUGIN_FLOOD"];

// A plugin may fail with any code, but only the host makes errors of this kind.
const isProcessFailure = (error: unknown): error is GantryError =>
  error instanceof GantryError && processFailures.includes(error.code);

// Only a plugin's own word makes it unavailable; all else it throws is a failure with the host's code for it. Recognised
// by its code, as an error may come from another process.
function startFailure(error: unknown): unknown {
  if (error instanceof GantryError) return error;
  const { code, message } = toFailure(error);
  if (code === "PLUGIN_UNAVAILABLE") return error;
  const kind = code === "STEP_FAILED" ? "" : ` (${code})`;
  return new GantryError("PLUGIN_START_FAILED", `${message}${kind}`, { cause: error });
}
