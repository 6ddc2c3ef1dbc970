// Tells of what Node's permission model refuses in this process, also where the plugin takes no notice of it.

import { subscribe } from "node:diagnostics_channel";

export interface Refusal {
  /** Node's word for it, such as FileSystemRead. */
  permission: string;
  /** A path, an address, a program; empty where there is none. */
  resource: string;
}

/** What the permission model has a channel for. */
const channels = ["fs", "net", "child", "worker", "addon", "ffi", "inspector", "wasi"];

/** Each refusal is told once, and no more than so many. */
const maxTold = 100;

export function watchRefusals(tell: (refusal: Refusal) => void): void {
  const told = new Set<string>();
  const onRefusal = (message: unknown) => {
    const { permission = "", resource = "" } = message as Partial<Refusal>;
    const key = `${permission} ${resource}`;
    if (told.has(key) || told.size >= maxTold) return;
    told.add(key);
    tell({ permission, resource });
  };
  for (const channel of channels) subscribe(`node:permission-model:${channel}`, onRefusal);
}

const words: Record<string, string> = {
  FileSystemRead: "to read",
  FileSystemWrite: "to write",
  Net: "to connect to",
  ChildProcess: "to start",
};

/** What was refused, as in `to read /etc/passwd`. */
export const refusalInWords = ({ permission, resource }: Refusal): string =>
  `${words[permission] ?? `(${permission})`} ${resource}`.trim();
