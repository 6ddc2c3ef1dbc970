import { locatePlugin } from "../loading/locate-plugin.ts";
import type { DeviceIdentity, JsonObject } from "../sdk.ts";
import { entryOf, type TestPlugin } from "./host-folder.ts";
import type { BrokerKind, TestBroker } from "./test-broker.ts";

export interface TestHostOptions {
  /** Names, folders (absolute, file URLs, or relative to the working directory), or entries as in plugins.json. */
  plugins?: (string | URL | TestPlugin)[];
  /** Documents by name; a document need not repeat its name. */
  workflows?: Record<string, object>;
  /**
   * A broker for the plugin `mqtt` and for the test. `embedded` is in the test's own process, so that nothing need be
   * installed; `mosquitto` is a real Mosquitto. Either lives on when the host is killed. `plugin` is the one in the plugin
   * `mqtt` itself, which comes and goes with the host. Without it, `mqtt` is configured as in `plugins`, if it is there.
   */
  broker?: BrokerKind;
  /**
   * Puts something of the test's between the broker and the host, to watch what they say or to hold it back: called once
   * with the port of the broker, it gives the port that the host is led to. Not with the plugin's own broker.
   */
  between?: (port: number) => Promise<number>;
  /** The identity in plugins.json; null: none. Default: `org.example:test-device` of the tenant `test`. */
  device?: DeviceIdentity | null;
  /** What `{"$secret": NAME}` stands for, by name. */
  secrets?: Record<string, string>;
  /** Whether the host has a process of its own, as `gantry up`: it can be killed then, and starts more slowly. */
  process?: boolean;
  /** Further members of plugins.json. */
  configuration?: JsonObject;
  /** Environment of the host, where it has a process of its own. */
  environment?: NodeJS.ProcessEnv;
  /** Default: debug. */
  logLevel?: string;
  /** Starts also where documents have faults or a plugin does not become active. */
  faulty?: boolean;
}

/** What is in plugins.json; `broker` is one beside the host. */
export function configurationOf(
  { plugins = [], broker: kind, configuration }: TestHostOptions,
  device: DeviceIdentity | null,
  broker: TestBroker | undefined,
): JsonObject {
  const identity: JsonObject = device === null ? {} : { device: { ...device } };
  const beside = broker === undefined ? undefined : { broker: broker.url };
  const settings: JsonObject | undefined = kind === "plugin" ? { broker: "embedded", port: 0 } : beside;
  return { ...identity, plugins: pluginsOf(plugins, settings), ...configuration };
}

/** The plugin `mqtt` comes with a broker of the test, with what else the test says of it. */
function pluginsOf(given: NonNullable<TestHostOptions["plugins"]>, settings: JsonObject | undefined): JsonObject[] {
  const entries = given.map(entryOf);
  if (settings === undefined) return entries;
  const isMqtt = ({ plugin }: JsonObject) => plugin === locatePlugin("mqtt", "");
  const { config = {}, ...mqtt } = entries.find(isMqtt) ?? { plugin: "mqtt" };
  const connected = { ...mqtt, config: { ...(config as JsonObject), ...settings } };
  return [connected, ...entries.filter((entry) => !isMqtt(entry))];
}
