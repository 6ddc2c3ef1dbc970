// TypeScript types of what a manifest describes with JSON Schemas.

import type { JSONSchema } from "json-schema-to-typescript";
import type { ManifestService, PluginManifest } from "../../schemas/plugin.types.ts";
import { layOut } from "./layout.ts";

/** What is read of a manifest. */
export type TypedManifest = Pick<PluginManifest, "config" | "steps" | "triggers" | "provides">;

export interface TypeOptions {
  /** Whether prettier lays the text out, which only Gantry's own repository has; default false. */
  pretty?: boolean;
}

const nothing: JSONSchema = { type: "object", additionalProperties: false };

/**
 * One module: `Config`; for each step `<Step>Input` and `<Step>Output`; for each trigger `<Trigger>Options` and, where the
 * manifest has it, `<Trigger>Emitted`; for each service that has schemas `<Service>Service` with what it takes and gives.
 */
export async function typesOfPlugin(manifest: TypedManifest, options: TypeOptions = {}): Promise<string> {
  const { config, steps = {}, triggers = {}, provides = {} } = manifest;
  // What has a default is always there once the host has filled it in.
  const schemas: [string, JSONSchema][] = [["Config", withDefaultsRequired(config ?? nothing)]];
  for (const [name, { input, output }] of Object.entries(steps)) {
    schemas.push([`${pascal(name)}Input`, withDefaultsRequired(input)]);
    schemas.push([`${pascal(name)}Output`, withDefaultsRequired(output ?? nothing)]);
  }
  for (const [name, { with: settings, input }] of Object.entries(triggers)) {
    schemas.push([`${pascal(name)}Options`, withDefaultsRequired(settings ?? nothing)]);
    if (input !== undefined) schemas.push([`${pascal(name)}Emitted`, input]);
  }
  const services = Object.entries(provides).filter(([, service]) => schemasOf(service).length > 0);
  for (const [name, service] of services)
    for (const [member, schema] of schemasOf(service)) schemas.push([`${pascal(name)}${member}`, schema]);
  const texts = [];
  for (const [name, schema] of schemas) texts.push(await typesOfSchema(schema, name, options));
  for (const [name, service] of services) texts.push(interfaceOf(name, service));
  const imports = services.length > 0 ? ['import type { Stop } from "gantry";\n'] : [];
  return [...imports, ...texts].join("\n");
}

/** The types of one schema, the outer one with this name. */
export async function typesOfSchema(
  schema: JSONSchema,
  name: string,
  { pretty = false }: TypeOptions = {},
): Promise<string> {
  const { compile } = await import("./schema-compiler.ts");
  const text = await compile({ ...structuredClone(schema), title: name }, name, {
    bannerComment: "",
    additionalProperties: false,
    format: pretty,
    style: { printWidth: 120 },
    strictIndexSignatures: false,
    unknownAny: true,
    // A manifest describes itself: nothing is read or fetched for it.
    $refOptions: { resolve: { external: false } },
  });
  return pretty ? text : layOut(text);
}

/** The schemas of a service, by what is put behind its name to name their types. */
function schemasOf({ methods = {}, streams = {} }: ManifestService): [string, JSONSchema][] {
  const all: [string, JSONSchema | undefined][] = [];
  for (const [name, { input, output }] of Object.entries(methods))
    all.push([`${pascal(name)}Input`, input], [`${pascal(name)}Output`, output]);
  for (const [name, { input, item }] of Object.entries(streams))
    all.push([`${pascal(name)}Options`, input], [`${pascal(name)}Item`, item]);
  return all.filter((entry): entry is [string, JSONSchema] => entry[1] !== undefined);
}

function interfaceOf(service: string, { description, methods = {}, streams = {} }: ManifestService): string {
  const named = (member: string, kind: string, schema: object | undefined, otherwise: string) =>
    schema === undefined ? otherwise : `${pascal(service)}${pascal(member)}${kind}`;
  const members = [
    ...Object.entries(methods).map(([name, method]) => {
      const input = method.input === undefined ? "" : `input: ${named(name, "Input", method.input, "")}`;
      const output = named(name, "Output", method.output, "unknown");
      return `${comment(method.description)}  ${name}(${input}): Promise<${output}>;\n`;
    }),
    ...Object.entries(streams).map(([name, stream]) => {
      const options = named(name, "Options", stream.input, "object");
      const item = named(name, "Item", stream.item, "unknown");
      const listener = `listener: (item: ${item}) => Promise<void>`;
      return `${comment(stream.description)}  ${name}(options: ${options}, ${listener}): Promise<Stop>;\n`;
    }),
  ];
  const head = comment(description).trimStart().replace("\n  ", "\n");
  // No interface: what a plugin contributes must be a record of functions, which only a type can be.
  return `${head}export type ${pascal(service)}Service = {\n${members.join("")}};\n`;
}

const comment = (text: string | undefined) =>
  text === undefined ? "" : `  /** ${text.replaceAll("*/", "* /").replaceAll(/\s+/g, " ")} */\n`;

function withDefaultsRequired({ oneOf, ...more }: JSONSchema): JSONSchema {
  // Which keys may stand together is left to the check of the values.
  const isChoice = oneOf?.every((branch) => Object.keys(branch).join() === "required") ?? true;
  const schema: JSONSchema = isChoice ? more : { ...more, oneOf: oneOf! };
  if (schema.properties === undefined) return schema;
  const filled = Object.entries(schema.properties).filter(([, property]) => property.default !== undefined);
  const required = [
    ...new Set([...(Array.isArray(schema.required) ? schema.required : []), ...filled.map(([key]) => key)]),
  ];
  return { ...schema, required };
}

function pascal(name: string): string {
  return name.replaceAll(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9]?)/g, (_, letter: string) => letter.toUpperCase());
}
