// Writes docs/plugin-reference.md: the contract of plugins, from its schemas and types, and the interface of their tests.
// `npm run generate` writes it; with --check nothing is written, and the exit code says whether it is up to date.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import pluginSchema from "../schemas/plugin.schema.json" with { type: "json" };
import pluginsSchema from "../schemas/plugins.schema.json" with { type: "json" };
import { toolkit, writeDeclarations } from "./declarations.ts";

interface Schema {
  title?: string;
  description?: string;
  type?: string;
  $ref?: string;
  enum?: unknown[];
  items?: Schema;
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
}

interface Declared {
  name: string;
  /** The comment above it, as Markdown. */
  says: string;
  code: string;
}

/** The manifest, and each of its parts that has members of its own. */
function tables(schema: Schema, parts: Record<string, Schema>): string {
  const inner = Object.entries(schema.properties!).flatMap(([name, member]) => innerTables(name, member));
  const named = Object.entries(parts)
    .filter(([, part]) => part.properties !== undefined)
    .flatMap(([name, part]) => [
      [`### ${title(name)}\n\n${table(part)}`],
      Object.entries(part.properties!).flatMap(([key, member]) => innerTables(`${name}.${key}`, member)),
    ])
    .flat();
  return [table(schema), ...inner, ...named].join("\n");
}

/** Of members that are described in their own place. */
function innerTables(name: string, schema: Schema): string[] {
  const inner = typeof schema.additionalProperties === "object" ? schema.additionalProperties : schema;
  return inner.properties === undefined ? [] : [`### ${title(name)}\n\n${table(inner)}`];
}

function table({ properties = {}, required = [] }: Schema): string {
  const rows = Object.entries(properties)
    .filter(([name]) => name !== "$schema")
    .map(([name, member]) => {
      const needed = required.includes(name) ? "needed. " : "";
      return `| \`${name}\` | ${kind(member)} | ${needed}${member.description ?? ""} |`.replaceAll("\n", " ");
    });
  return ["| member | kind | meaning |", "|---|---|---|", ...rows, ""].join("\n");
}

function kind(schema: Schema): string {
  if (schema.$ref !== undefined) return `a ${schema.$ref.split("/").at(-1)}`;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(", ");
  if (schema.type === "array") return `list${schema.items === undefined ? "" : ` of ${plural(kind(schema.items))}`}`;
  const { additionalProperties: by } = schema;
  if (schema.type === "object" && typeof by === "object" && schema.properties === undefined)
    return `object: by name ${kind(by)}`;
  return schema.type === "string" ? "text" : (schema.type ?? "any value");
}

const plural = (word: string) => (word === "text" ? "texts" : word.startsWith("a ") ? `${word.slice(2)}s` : word);
const title = (name: string) => `\`${name}\``;

function declarations(): string {
  using written = writeDeclarations();
  const section = (heading: string, module: string, words: string) => {
    const found = exportsOf(join(written.folder, `${module}.d.ts`)).map(
      ({ name, says, code }) => `### ${title(name)}\n\n${says === "" ? "" : `${says}\n\n`}\`\`\`ts\n${code}\n\`\`\`\n`,
    );
    return `## ${heading}\n\n${words}\n\n${found.join("\n")}`;
  };
  return [
    section("gantry", "host/sdk", "The contract: what every plugin imports."),
    ...toolkit.map((name) =>
      section(`gantry/toolkit/${name}`, `host/toolkit/${name}`, "Of the toolkit, which a plugin may use or not."),
    ),
    section("gantry/testing", "host/testing/index", "What a plugin's tests import."),
  ].join("\n");
}

/** A declaration with the comments before it. */
const declaration = /^(\/\*\*.*?\*\/\n)?export (?:declare )?(?:interface|type|const|class|function) (\w+)/gms;

/** What a module exports, in its order; what it passes on from another one is looked up there. */
function exportsOf(module: string): Declared[] {
  const source = readFileSync(module, "utf8");
  const passedOn = [...source.matchAll(/^export (?:type )?\{([^}]*)\} from "([^"]+)\.ts";$/gm)].map((match) => {
    const names = match[1]!.split(",").map((name) => name.trim().replace(/^type /, ""));
    const others = exportsOf(join(dirname(module), `${match[2]}.d.ts`));
    return { at: match.index, found: names.map((name) => others.find((other) => other.name === name)!) };
  });
  // A comment may belong to what stands before or behind it, so each declaration is cut at the next one's comment.
  const starts = topLevel(source);
  const own = starts.map(({ at, name, comment }, index) => {
    const code = source.slice(at + comment.length, starts[index + 1]?.at ?? source.length);
    return { at, found: [{ name, says: markdown(comment), code: inOurStyle(code) }] };
  });
  return [...passedOn, ...own].sort((one, other) => one.at - other.at).flatMap(({ found }) => found);
}

function topLevel(source: string): { at: number; name: string; comment: string }[] {
  return [...source.matchAll(declaration)].map(({ index, 1: comments = "", 2: name }) => {
    // The expression may have begun with the comment of something else.
    const comment = comments.slice(comments.lastIndexOf("/**"));
    return { at: index + comments.length - comment.length, name: name!, comment };
  });
}

const markdown = (comment: string) =>
  comment
    .replaceAll(/^\s*\/\*\*|\*\/\s*$/g, "")
    .replaceAll(/^\s*\* ?/gm, "")
    .trim();

function inOurStyle(code: string): string {
  const kept = code
    .split("\n")
    .filter((line) => !/^(import|export (type )?\{)/.test(line) && !/^\s*(#private|private .*);$/.test(line));
  return kept
    .join("\n")
    .replaceAll(/^( {4})+/gm, (indent) => "  ".repeat(indent.length / 4))
    .replaceAll(/^export (declare )?/gm, "")
    .trim();
}

const file = new URL("../docs/plugin-reference.md", import.meta.url);
const text = `<!-- Generated by \`npm run generate\`; do not edit. -->

# The contract's reference

What stands here is taken from the schemas and types themselves. [plugins.md](plugins.md) explains how the parts go
together, and [errors.md](errors.md) what each code means.

## plugin.json

${tables(pluginSchema as unknown as Schema, (pluginSchema as unknown as { $defs: Record<string, Schema> }).$defs)}
## An entry of plugins.json

${table((pluginsSchema as unknown as { $defs: Record<string, Schema> }).$defs.entry!)}
${declarations()}`;

if (!process.argv.includes("--check")) writeFileSync(file, text);
else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
  console.error("not up to date: docs/plugin-reference.md; run `npm run generate`");
  process.exit(1);
}
