import type { TestBroker } from "./test-broker.ts";

/** The broker in the plugin `mqtt` itself. */
export class PluginBroker implements TestBroker {
  readonly isOnline = true;
  readonly offline = withoutSwitch;
  readonly online = withoutSwitch;
  readonly stop = withoutSwitch;
  readonly restart = withoutSwitch;
  readonly #findPort: () => number | undefined;

  /** `findPort` finds where it listens in this life of the host. */
  constructor(findPort: () => number | undefined) {
    this.#findPort = findPort;
  }

  get port(): number {
    const port = this.#findPort();
    if (port === undefined) throw new Error("the log does not say where the broker of the plugin mqtt listens");
    return port;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }
}

async function withoutSwitch(): Promise<never> {
  throw new Error("the plugin's own broker has no switch: it comes and goes with the host");
}
