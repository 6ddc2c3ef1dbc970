import { type ErrorCode, GantryError } from "../errors.ts";

/** Where a plugin runs while it is tried: in a process of its own, or in the host's. */
export type Carrier = "process" | "in-process";

export interface Finding {
  /** manifest, readme, import, start, example, plan, repeat, abort, permissions, memory. */
  check: string;
  outcome: "passed" | "failed" | "not exercised";
  /** What was tried: a step and its example, a trigger; empty for the plugin as a whole. */
  about: string;
  carrier?: Carrier;
  /** What is wrong, or why it was not exercised. */
  message?: string;
  code?: string;
  remedy?: string;
}

export type Report = (finding: Finding) => void;

type About = Pick<Finding, "check" | "about"> & { carrier?: Carrier };

export const passed = (about: About): Finding => ({ ...about, outcome: "passed" });

export const notExercised = (about: About, message: string): Finding => ({
  ...about,
  outcome: "not exercised",
  message,
});

export function failed(about: About, code: ErrorCode, message: string): Finding {
  const { remedy } = new GantryError(code, message);
  return { ...about, outcome: "failed", message, code, remedy };
}

/** One finding for each problem, or that there is none. */
export function judge(about: About, code: ErrorCode, problems: string[]): Finding[] {
  return problems.length === 0 ? [passed(about)] : problems.map((problem) => failed(about, code, problem));
}
