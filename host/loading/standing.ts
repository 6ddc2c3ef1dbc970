import type { Stop } from "../sdk.ts";

interface Standing {
  begin: () => Stop | Promise<Stop>;
  stop: Stop | undefined;
}

/**
 * Triggers and subscriptions that others keep going at one plugin. They outlast its process: when it has been started
 * again, `beginAgain` begins them again there.
 */
export class StandingCalls {
  readonly #calls = new Set<Standing>();

  /** Begins it and gives its stop; rejects with what `begin` throws, and then it does not stand. */
  async begin(begin: Standing["begin"]): Promise<Stop> {
    const call: Standing = { begin, stop: await begin() };
    this.#calls.add(call);
    return async () => {
      if (this.#calls.delete(call)) await call.stop?.();
    };
  }

  /** Stops them, until they are begun again. */
  async pause(onFault: (error: unknown) => void): Promise<void> {
    await Promise.all(
      [...this.#calls].map(async (call) => {
        const { stop } = call;
        call.stop = undefined;
        try {
          await stop?.();
        } catch (error) {
          onFault(error);
        }
      }),
    );
  }

  /** One that cannot be begun is tried again the next time. */
  async beginAgain(onFault: (error: unknown) => void): Promise<void> {
    await Promise.all(
      [...this.#calls].map(async (call) => {
        call.stop = undefined;
        try {
          const stop = await call.begin();
          if (this.#calls.has(call)) call.stop = stop;
          else await stop();
        } catch (error) {
          onFault(error);
        }
      }),
    );
  }
}
