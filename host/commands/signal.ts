// gantry signal: says something to the runs that wait for it. Without a host it is kept, and heard at the next start.

import { randomUUID } from "node:crypto";
import { earlySignalMs } from "../engine/plan-wait.ts";
import type { Json } from "../sdk.ts";
import { askHostOrStore } from "./reach-host.ts";

export interface SignalOptions {
  value: Json;
  data: string;
  json: boolean;
}

/** `received` is undefined where no host is there to say. */
export async function signal(name: string, { value, data, json }: SignalOptions): Promise<number> {
  const sent = { id: randomUUID(), name, value };
  const received = await askHostOrStore(
    data,
    async (client) => (await client.call<{ received: boolean }>("signals.send", sent)).received,
    async ({ signals }) => {
      const at = Date.now();
      await signals.put({ ...sent, at }, at - earlySignalMs);
      return undefined;
    },
  );
  if (json) process.stdout.write(`${JSON.stringify({ ...sent, received: received ?? null })}\n`);
  else process.stdout.write(`${inWords(name, received)}\n`);
  return 0;
}

function inWords(name: string, received: boolean | undefined): string {
  if (received) return `${name} was received`;
  if (received === false) return `nobody waits for ${name}; a wait that begins within a minute still hears it`;
  return `${name} is kept; runs that wait for it hear it when the host starts`;
}
