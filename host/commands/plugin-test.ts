// gantry plugin test: whether a plugin keeps the contract, one line for each thing that was tried, or was not.

import { styleText } from "node:util";
import { testPlugin } from "../conformance/conformance.ts";
import type { Finding } from "../conformance/finding.ts";
import { plain } from "../terminal/plain.ts";

export interface PluginTestOptions {
  json: boolean;
  inProcess: boolean;
  /** Other plugins that it needs: folders or names. */
  with: string[];
}

/** Gives 1 where something failed; what was not exercised is said and does not fail. */
export async function pluginTest(
  folder: string,
  { json, inProcess, with: others }: PluginTestOptions,
): Promise<number> {
  const counts = { passed: 0, failed: 0, "not exercised": 0 };
  const report = (finding: Finding) => {
    counts[finding.outcome] += 1;
    process.stdout.write(json ? `${JSON.stringify(finding)}\n` : line(finding));
  };
  await testPlugin(folder, { inProcess, others, report });
  const { passed, failed, "not exercised": notExercised } = counts;
  if (json) process.stdout.write(`${JSON.stringify({ passed, failed, notExercised })}\n`);
  else process.stdout.write(`${passed} passed, ${failed} failed, ${notExercised} not exercised\n`);
  return failed > 0 ? 1 : 0;
}

const marks = { passed: "✓", failed: "✗", "not exercised": "-" };
const colours = { passed: "green", failed: "red", "not exercised": "yellow" } as const;
const places = { process: " (own process)", "in-process": " (host's process)" };

function line({ check, outcome, about, carrier, message, code, remedy }: Finding): string {
  const mark = styleText(colours[outcome], marks[outcome], { stream: process.stdout });
  const place = carrier === undefined ? "" : places[carrier];
  const what = `${check}${about === "" ? "" : ` ${plain(about)}`}${place}`;
  const why = message === undefined ? "" : `: ${outcome === "failed" ? "" : `${outcome}: `}${plain(message)}`;
  const known = code === undefined ? "" : ` (${plain(code)})`;
  return `${mark} ${what}${why}${known}\n${remedy === undefined ? "" : `    ${plain(remedy)}\n`}`;
}
