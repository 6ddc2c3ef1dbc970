// Whose rights a program has. Names are looked up in the system's own files.

import { readFileSync } from "node:fs";
import { PluginError } from "gantry";
import type { Config, RunInput } from "./plugin.types.ts";

export interface Account {
  uid: number;
  gid: number;
  /** HOME, USER and LOGNAME. */
  environment: Record<string, string>;
}

/**
 * The account that a step asks for; undefined: the host's own. Throws SCRIPT_USER_NOT_ALLOWED, SCRIPT_USER_UNKNOWN.
 */
export function accountFor(
  { user, group }: Pick<RunInput, "user" | "group">,
  { users, groups }: Pick<Config, "users" | "groups">,
): Account | undefined {
  if (user === undefined && group === undefined) return undefined;
  if (user !== undefined && !users.includes(user)) throw notAllowed("user", user);
  const [name = "", , uid, gid, , home = "/"] = user === undefined ? [] : entryOf("user", "/etc/passwd", user);
  const own = gid === undefined ? process.getgid!() : Number(gid);
  const chosen = group === undefined ? own : Number(entryOf("group", "/etc/group", group)[2]);
  if (group !== undefined && chosen !== own && !groups.includes(group)) throw notAllowed("group", group);
  return {
    uid: uid === undefined ? process.getuid!() : Number(uid),
    gid: chosen,
    environment: user === undefined ? {} : { HOME: home, USER: name, LOGNAME: name },
  };
}

// Lines of name:password:number:...
function entryOf(kind: string, file: string, name: string): string[] {
  const entries = readFileSync(file, "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const found = entries.find((entry) => entry.length > 3 && (entry[0] === name || entry[2] === name));
  if (found === undefined) throw new PluginError("SCRIPT_USER_UNKNOWN", `${file} has no ${kind} ${name}`);
  return found;
}

function notAllowed(kind: string, name: string): PluginError {
  return new PluginError("SCRIPT_USER_NOT_ALLOWED", `the ${kind} ${name} is not among those that programs may have`);
}
