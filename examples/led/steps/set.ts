import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PluginError, type Step, type StepContext } from "gantry";
import type { Config, SetInput, SetOutput } from "../plugin.types.ts";

/** Gives a light a brightness; to say the same twice changes nothing. */
export function set({ folder }: Config): Step<SetInput, SetOutput> {
  const fileOf = (led: string) => join(folder, led, "brightness");

  const read = async (led: string): Promise<number> => {
    const text = await readFile(fileOf(led), "utf8").catch((cause: unknown) => {
      throw new PluginError("LED_UNKNOWN", `there is no light ${led}`, { cause, details: { led } });
    });
    return Number.parseInt(text, 10);
  };

  // After a crash between the change and its record the light shows the new brightness; the checkpoint knows the old one.
  const before = async (led: string, { lastCheckpoint }: StepContext): Promise<number> =>
    typeof lastCheckpoint === "number" ? lastCheckpoint : read(led);

  return {
    async check({ led, brightness }, context) {
      if ((await read(led)) !== brightness) return undefined;
      return { brightness, before: await before(led, context) };
    },
    async run({ led, brightness }, context) {
      const was = await before(led, context);
      await context.checkpoint(was);
      await writeFile(fileOf(led), `${brightness}\n`).catch((cause: unknown) => {
        throw new PluginError("LED_REFUSED", `${led} does not take ${brightness}`, { cause, details: { led } });
      });
      return { brightness, before: was };
    },
    plan: async ({ led, brightness }) => `sets ${led} from ${await read(led)} to ${brightness}`,
  };
}
