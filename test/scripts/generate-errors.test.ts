// docs/errors.md is read here as a person reads it, without the program that writes it.

import assert from "node:assert/strict";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { faultCatalogue } from "../../host/documents/fault.ts";
import { catalogue } from "../../host/errors.ts";

interface Explained {
  section: string;
  code: string;
  description: string;
  remedy: string;
  retryable?: boolean;
}

const root = new URL("../../", import.meta.url);
const declared = declaredCodes();
const explained = explainedCodes(readFileSync(new URL("docs/errors.md", root), "utf8"));

test("docs/errors.md explains every code of host, documents and plugins, and no other", () => {
  const byCode = (one: Explained, other: Explained) =>
    `${one.section} ${one.code}`.localeCompare(`${other.section} ${other.code}`);
  assert.ok(explained.length > 50, "the document could not be read");
  assert.deepEqual(explained.toSorted(byCode), declared.toSorted(byCode));
});

test("no code is declared twice", () => {
  const codes = declared.map(({ code }) => code);
  assert.deepEqual(
    codes.filter((code, index) => codes.indexOf(code) !== index),
    [],
  );
});

test("a plugin's codes begin with its name", () => {
  for (const { section, code } of declared.filter(({ section }) => section.startsWith("The plugin ")))
    assert.ok(code.startsWith(`${section.slice("The plugin ".length).toUpperCase().replaceAll("-", "_")}_`), code);
});

test("no remedy serves more than three codes", () => {
  for (const [remedy, same] of Map.groupBy(declared, ({ remedy }) => remedy))
    assert.ok(same.length <= 3, `${same.map(({ code }) => code).join(", ")}: ${remedy}`);
});

test("some test brings about each error of the host", () => {
  const own = "scripts/generate-errors.test.ts";
  const tests = globSync("**/*.ts", { cwd: new URL("test/", root) }).filter((file) => file !== own);
  const texts = tests.map((file) => readFileSync(new URL(`test/${file}`, root), "utf8")).join("\n");
  const unseen = Object.keys(catalogue).filter((code) => !new RegExp(`\\b${code}\\b`).test(texts));
  assert.deepEqual(unseen, []);
});

function declaredCodes(): Explained[] {
  const groups: [section: string, errors: Record<string, Omit<Explained, "section" | "code">>][] = [
    ["The host", catalogue],
    ["Documents", faultCatalogue],
  ];
  const plugins = readdirSync(new URL("plugins/", root)).map((name) => `plugins/${name}`);
  for (const folder of ["host/builtin", ...plugins]) {
    const manifest = JSON.parse(readFileSync(new URL(`${folder}/plugin.json`, root), "utf8"));
    groups.push([`The plugin ${manifest.name}`, manifest.errors ?? {}]);
  }
  return groups.flatMap(([section, errors]) =>
    Object.entries(errors).map(([code, entry]) => ({ section, code, ...entry })),
  );
}

function explainedCodes(text: string): Explained[] {
  return text
    .split(/^## /m)
    .slice(1)
    .flatMap((part) => {
      const [section, ...codes] = part.split(/^### /m) as [string, ...string[]];
      return codes.map((words) => {
        const [code, description, remedy, retry] = words.split("\n").filter((line) => line !== "");
        const shown = (line: string) => line.replaceAll("\\<", "<");
        return {
          section: section.split("\n")[0]!,
          code: code!,
          description: shown(description!),
          remedy: shown(remedy!.replace("- **What to do:** ", "")),
          ...(retry === undefined ? {} : { retryable: retry === "- **A retry:** may help" }),
        };
      });
    });
}
