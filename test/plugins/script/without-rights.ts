// Tries what needs rights that this process does not have, and prints the codes of the failures.

import { running } from "./running.ts";

using step = running({ users: ["nobody"] });
const codeOf = async (input: object) => (await step.refused(["true"], { ...input })).code;
const codes = {
  user: await codeOf({ user: "nobody" }),
  niceness: await codeOf({ niceness: -5 }),
  memory: await codeOf({ memoryBytes: 100_000_000_000 }),
};
console.log(JSON.stringify(codes));
