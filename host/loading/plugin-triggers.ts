// The triggers of active plugins: started and answered by their address, with what passes checked.

import { GantryError } from "../errors.ts";
import type { Emit, Json, JsonObject } from "../sdk.ts";
import type { ActivePlugins } from "./active-plugins.ts";
import type { PluginLife } from "./plugin-life.ts";
import { lazyCheck } from "./runnable-steps.ts";
import { splitAddress } from "./split-address.ts";
import type { StandingCalls } from "./standing.ts";

/** Both maps are by the plugin's name. */
export class PluginTriggers {
  readonly #lives: ReadonlyMap<string, PluginLife>;
  readonly #standing: ReadonlyMap<string, StandingCalls>;

  constructor(lives: ReadonlyMap<string, PluginLife>, standing: ReadonlyMap<string, StandingCalls>) {
    this.#lives = lives;
    this.#standing = standing;
  }

  has(address: string): boolean {
    const [name, trigger] = splitAddress(address);
    const life = this.#lives.get(name);
    return life?.isActive === true && Object.hasOwn(life.plugin.manifest.triggers ?? {}, trigger);
  }

  start: ActivePlugins["startTrigger"] = async (address, settings, emit, { log, ...about }) => {
    const [name, trigger] = splitAddress(address);
    const life = this.#lives.get(name);
    const declared = life?.plugin.manifest.triggers?.[trigger];
    if (life === undefined || declared === undefined)
      throw new GantryError("TRIGGER_UNKNOWN", `no plugin has the trigger ${address}`);
    const accepted = structuredClone(settings);
    const { with: settingsSchema, input: inputSchema } = declared;
    if (settingsSchema !== undefined) check(`the settings of ${address}`, settingsSchema as JsonObject, life)(accepted);
    const checkInput = inputSchema && check(`what ${address} emits`, inputSchema as JsonObject, life);
    const emitChecked: Emit = async (emission) => {
      if (checkInput === undefined) return emit(emission);
      const input = structuredClone(emission.input);
      checkInput(input);
      return emit({ ...emission, input });
    };
    const context = { ...about, log: log.child({ plugin: name }) };
    return this.#standing.get(name)!.begin(async () => {
      await life.closed;
      return life.contributions().triggers![trigger]!.start(accepted as never, emitChecked, context);
    });
  };

  answer: ActivePlugins["answerTrigger"] = async (address, to, outcome, key) => {
    const [name, trigger] = splitAddress(address);
    const life = this.#lives.get(name);
    if (life === undefined) throw new GantryError("TRIGGER_UNKNOWN", `no plugin has the trigger ${address}`);
    await life.closed;
    await life.contributions().triggers?.[trigger]?.answer?.(to, outcome, key);
  };
}

// Fills in the schema's defaults, in place.
function check(what: string, schema: JsonObject, { plugin }: PluginLife): (value: Json) => void {
  const problemsOf = lazyCheck(schema, { defaults: true, trusted: plugin.builtIn });
  return (value) => {
    const problems = problemsOf(value);
    if (problems.length > 0)
      throw new GantryError("INPUT_INVALID", `${what}: ${problems.join("; ")}`, { details: { problems } });
  };
}
