// The README: a section for each step, which says why repeating it is safe, and each setting by its name.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PluginManifest } from "../../schemas/plugin.types.ts";
import { type Finding, judge } from "./finding.ts";

export function checkReadme(directory: string, manifest: PluginManifest): Finding[] {
  const about = { check: "readme", about: "" };
  const file = join(directory, "README.md");
  if (!existsSync(file)) return judge(about, "CONFORMANCE_README", ["there is no README.md"]);
  return judge(about, "CONFORMANCE_README", problemsOf(readFileSync(file, "utf8"), manifest));
}

function problemsOf(text: string, { name, steps = {}, config }: PluginManifest): string[] {
  const sections = sectionsOf(text);
  const settings = Object.keys((config as { properties?: object } | undefined)?.properties ?? {});
  return [
    ...Object.keys(steps).flatMap((step) => stepProblems(`${name}/${step}`, sections)),
    ...settings
      .filter((setting) => !text.includes(`\`${setting}\``))
      .map((setting) => `the setting \`${setting}\` is not named in it`),
  ];
}

function stepProblems(address: string, sections: Map<string, string>): string[] {
  const section = sections.get(address);
  if (section === undefined) return [`it has no heading "${address}"`];
  const words = /\*\*Repeating it\.?\*\*(.*)/s.exec(section)?.[1]?.split(/\n\s*\n/)[0] ?? "";
  // A word or two is a place left open.
  if (words.split(/\s+/).filter(Boolean).length >= 3) return [];
  return [`the section "${address}" does not say, after **Repeating it**, why that is safe`];
}

/** The text below each heading of any depth, up to the next one of that depth or above. A heading may name several. */
function sectionsOf(text: string): Map<string, string> {
  const headings = [...text.matchAll(/^(#+) +(.*)$/gm)];
  const sections = headings.flatMap(({ index, 1: marks, 2: title }, at) => {
    const end = headings.slice(at + 1).find(([, deeper]) => deeper!.length <= marks!.length)?.index ?? text.length;
    return title!.split(",").map((one) => [one.replaceAll("`", "").trim(), text.slice(index, end)] as const);
  });
  return new Map(sections);
}
