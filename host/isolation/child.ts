// The main module of a plugin's process. It talks to the host over descriptor 3 and ends with it.

import { Socket } from "node:net";
import { loadPlugin } from "../loading/in-process.ts";
import { Channel } from "./channel.ts";
import { defaultLimits } from "./limits.ts";
import { setUpPlugin } from "./plugin-side.ts";

const { messageBytes, unansweredCalls, unansweredBytes } = defaultLimits;

new Channel(new Socket({ fd: 3, readable: true, writable: true }), {
  // In the order of `roots` in plugin-process.ts.
  roots: [setUpPlugin, () => true, async (main: string) => void (await loadPlugin(main))],
  messageBytes,
  unreadBytes: Number.POSITIVE_INFINITY,
  // Half of what makes the host end this process.
  ownCalls: { count: unansweredCalls / 2, bytes: unansweredBytes / 2 },
  kept: { stops: Number.POSITIVE_INFINITY, stopBytes: Number.POSITIVE_INFINITY, objects: Number.POSITIVE_INFINITY },
  foreignCalls: { count: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY },
  onEnd: () => process.exit(0),
});
