// One plugin from its first start to its stop: active, or unavailable and tried again, or failed.

import type { Clock } from "../clock.ts";
import { type ErrorCode, GantryError, toFailure } from "../errors.ts";
import type { HostLog } from "../log.ts";
import { type Contributions, type PluginContext, PluginUnavailable } from "../sdk.ts";
import { withDeadline } from "./deadline.ts";
import type { CarrierProcess, StartPlugin } from "./in-process.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";
import { OpenCalls, type Patience } from "./open-calls.ts";
import { blockedBy, type PluginState, reportState, type Standing } from "./plugin-state.ts";
import { isProcessFailure, ProcessFailures } from "./process-failures.ts";
import { ReplacementGate } from "./replacement-gate.ts";
import { setUpPlugin, startFailure } from "./set-up-plugin.ts";

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
  /** Whether steps wait for the next version of a plugin that failed, as those wait for whom it is being replaced. */
  holdWhileFailed: boolean;
  /** Called when the state changes after the first attempt. */
  onChange: (life: PluginLife) => void;
  /** Called before it is stopped to be replaced: what stands at it is stopped until it is active again. */
  onClose: (life: PluginLife) => Promise<void>;
}

export class PluginLife {
  #plugin: InstalledPlugin;
  readonly #options: PluginLifeOptions;
  /** Those whose plugins must be active before this one. */
  readonly #required: PluginLife[];
  #contributions: Contributions | undefined;
  #state: Standing = { state: "stopped" };
  #process: CarrierProcess | undefined;
  readonly #failures: ProcessFailures;
  #calls = new OpenCalls();
  readonly #gate = new ReplacementGate();
  #attempt: Promise<void> | undefined;
  #callOff: (() => void) | undefined;
  #retries = 0;
  #isBlocked = false;
  #stopping = false;
  readonly #givenUp = new AbortController();

  constructor(plugin: InstalledPlugin, required: PluginLife[], options: PluginLifeOptions) {
    this.#plugin = plugin;
    this.#required = required;
    this.#options = options;
    this.#failures = new ProcessFailures(options.restarts, options.clock);
  }

  get plugin(): InstalledPlugin {
    return this.#plugin;
  }

  /** What steps wait for while it is being replaced. */
  get replacing(): Promise<void> | undefined {
    return this.#gate.forSteps;
  }

  /** What all else waits for then. */
  get closed(): Promise<void> | undefined {
    return this.#gate.forCalls;
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
    this.#letIn();
  }

  /** Follows a required plugin that became active, or failed, later. */
  requirementChanged(life: PluginLife): void {
    if (this.#isBlocked && this.#required.includes(life)) this.#again();
  }

  /**
   * Begins to replace it: steps wait from now on; those under way may end, and are told to after a while. Never rejects;
   * `close` follows.
   */
  async retire(patience: Patience): Promise<void> {
    this.#gate.holdSteps();
    await this.#attempt;
    this.#callOff?.();
    if (!this.#stopping) await this.#calls.retire(patience);
  }

  /** Stops it, if it is active. Gives how many steps have not ended, and begin again with the next version. */
  async close(patience: Patience): Promise<number> {
    this.#gate.close();
    if (!this.#stopping) await this.#options.onClose(this);
    if (!this.#stopping) await this.#calls.quiet(patience);
    await this.#stopCleanly();
    this.#contributions = undefined;
    return this.#calls.displaced(patience);
  }

  /** Starts it after `close`, perhaps as another version, also when it was left off or waited; never rejects. */
  async comeBack(plugin: InstalledPlugin = this.#plugin): Promise<void> {
    if (!this.#stopping) {
      this.#callOff?.();
      this.#plugin = plugin;
      this.#failures.forget();
      this.#retries = 0;
      this.#again();
      await this.#attempt;
    }
    this.#letIn();
  }

  #letIn(): void {
    const holds = this.#options.holdWhileFailed && this.#state.state === "failed" && !this.#stopping;
    if (holds) this.#gate.close();
    else this.#gate.open();
  }

  /** Makes no further attempt. */
  noMoreAttempts(): void {
    this.#stopping = true;
    this.#callOff?.();
    this.#calls.hurry();
    this.#letIn();
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
    const blocked = blockedBy(
      this.plugin.refusal,
      this.#required.map(({ state }) => state),
    );
    // Where one that it requires does so, it follows that one.
    this.#isBlocked = blocked !== undefined && this.plugin.refusal === undefined;
    if (blocked !== undefined) {
      this.#state = blocked;
      this.#retries = 0;
      reportState(this.#options.log, this.state, this.#retries);
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
    reportState(this.#options.log, this.state, this.#retries);
  }

  async #setUp(): Promise<Contributions> {
    const { start, context, setupTimeoutMs } = this.#options;
    const contributions = await setUpPlugin(this.plugin, {
      start,
      context,
      timeoutMs: setupTimeoutMs,
      givenUp: this.#givenUp.signal,
      onProcess: (process) => {
        this.#process = process;
      },
    });
    void this.#followProcess(this.#process);
    this.#calls = new OpenCalls();
    // Only others than Gantry's own are ever replaced.
    return this.plugin.builtIn ? contributions : this.#calls.counted(contributions);
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

  #processFailed(error: GantryError): void {
    const { log } = this.#options;
    const { code, message, remedy } = error;
    const facts = { plugin: this.plugin.name, code };
    const times = this.#failures.add(error);
    if (this.#failures.areTooMany) {
      const reason = `its process failed ${times} times, at last because ${message}`;
      const off = new GantryError("PLUGIN_LEFT_OFF", reason);
      this.#state = { state: "failed", code: off.code, reason, remedy: off.remedy };
      log.error(`plugin ${this.plugin.name} is left off: ${reason}`, facts);
      this.#letIn();
      return;
    }
    this.#state = { state: "unavailable", code, reason: message, remedy };
    this.#retries = times - 1;
    log.error(`plugin ${this.plugin.name} failed and is started again: ${message}`, facts);
    this.#retryLater();
  }

  #processState(): Partial<PluginState> {
    if (this.#process === undefined) return {};
    const { pid, residentBytes } = this.#process;
    return {
      ...(residentBytes === undefined || pid === undefined ? {} : { pid, residentBytes }),
      ...this.#failures.told,
    };
  }

  #retryLater(): void {
    if (this.#stopping) return;
    const { first, longest } = this.#options.retryDelayMs;
    const delayMs = Math.min(first * 2 ** Math.min(this.#retries, 30), longest);
    this.#retries += 1;
    this.#callOff = this.#options.clock.after(delayMs, () => this.#again());
  }
}
