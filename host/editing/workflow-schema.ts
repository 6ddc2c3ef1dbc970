// One JSON Schema for workflow documents, made of the language and of what the plugins contribute: for editors, which
// complete and explain by it. What only the whole document can tell (ids, references) is left to `gantry validate`.

import languageSchema from "../../schemas/workflow.schema.json" with { type: "json" };
import type { StepEntry, TriggerEntry, VerbCatalogue } from "../documents/catalogue.ts";
import type { Json, JsonObject } from "../sdk.ts";

const expressionText = { $ref: "#/$defs/textWithExpression" };
const namedSecret = { $ref: "#/$defs/namedSecret" };

/** JSON Schema 2020-12. Steps and triggers of plugins that are not enabled are left out. */
export function workflowSchema(catalogue: VerbCatalogue): JsonObject {
  const schema = structuredClone(languageSchema) as unknown as JsonObject;
  const definitions = schema.$defs as Record<string, JsonObject>;
  const steps = [...catalogue.steps].filter(([, { active }]) => active).sort(byName);
  const triggers = [...catalogue.triggers].filter(([, { active }]) => active).sort(byName);
  const workflows = [...(catalogue.workflows ?? [])].filter(([, { hasTriggers }]) => !hasTriggers).sort(byName);
  const calls: Verb[] = workflows.map(([name, { inputs }]) => ({
    address: `workflow:${name}`,
    description: `The workflow ${name}.`,
    settings: inputs ?? { type: "object", additionalProperties: false },
  }));
  const verbs = steps.map(([address, entry]) => verbOfStep(address, entry));
  choose(definitions.step!, "uses", [...verbs, ...calls], /^workflow:/);
  choose(definitions.sideStep!, "uses", verbs);
  choose(
    definitions.triggerUse!,
    "trigger",
    triggers.map(([address, entry]) => verbOfTrigger(address, entry)),
  );
  definitions.textWithExpression = {
    type: "string",
    pattern: "\\$\\{\\{",
    description: "A text with ${{ }}: the value is computed when the run comes here.",
  };
  definitions.namedSecret = {
    type: "object",
    required: ["$secret"],
    additionalProperties: false,
    properties: {
      $secret: {
        type: "string",
        pattern: "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
        description:
          "A secret of the device: the environment variable GANTRY_SECRET_<name>, or <name>, or a systemd credential.",
      },
    },
    description: "A secret of the device, by its name; the value is read just before the step acts.",
  };
  schema.$id = "https://gantry.example/schemas/workflow-documents.schema.json";
  schema.description = "A workflow for the plugins of one host. Made by `gantry schema`.";
  return schema;
}

interface Verb {
  address: string;
  description: string;
  /** JSON Schema of `with`. */
  settings: JsonObject;
  /** Whether `with` may name secrets, where the schema marks them. */
  takesSecrets?: boolean;
}

const byName = ([one]: [string, unknown], [other]: [string, unknown]) => (one < other ? -1 : 1);

function verbOfStep(address: string, { description, input }: StepEntry): Verb {
  return { address, description, settings: input, takesSecrets: true };
}

function verbOfTrigger(address: string, { description, with: settings }: TriggerEntry): Verb {
  return { address, description, settings: settings ?? { type: "object", additionalProperties: false } };
}

/** Lets `key` be one of the verbs, and `with` follow the one that is chosen. */
function choose(definition: JsonObject, key: string, verbs: Verb[], others?: RegExp): void {
  const properties = definition.properties as Record<string, JsonObject>;
  const { description } = properties[key]!;
  const listed: JsonObject = {
    type: "string",
    enum: verbs.map(({ address }) => address),
    enumDescriptions: verbs.map((verb) => verb.description),
  };
  properties[key] =
    others === undefined
      ? { ...listed, description: description! }
      : { description: description!, anyOf: [listed, { type: "string", pattern: others.source }] };
  definition.allOf = verbs.map(({ address, settings, takesSecrets }) => {
    const isNeeded = Array.isArray(settings.required) && settings.required.length > 0;
    return {
      if: { required: [key], properties: { [key]: { const: address } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: {
        properties: { with: openToExpressions(settings, { isTop: true, secrets: takesSecrets ? "marked" : "none" }) },
        ...(isNeeded ? { required: ["with"] } : {}),
      },
    };
  });
}

const ofSchemas = ["items", "additionalProperties", "contains", "propertyNames", "not"];
const ofLists = ["anyOf", "oneOf", "allOf", "prefixItems"];
const ofMaps = ["properties", "patternProperties", "$defs", "dependentSchemas"];

interface Opening {
  /** At the top of `with` stands an object all the same. */
  isTop?: boolean;
  /** Where secrets may be named: nowhere, where the schema marks it, or here and everywhere below. */
  secrets: "none" | "marked" | "all";
}

/** The same schema, in which an expression may stand wherever a value does, and a secret's name where it is one. */
function openToExpressions(schema: Json, { isTop = false, secrets: outer }: Opening): JsonObject {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return schema as unknown as JsonObject;
  const secrets = outer === "marked" && isMarked(schema) ? "all" : outer;
  const open: JsonObject = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (ofSchemas.includes(keyword)) open[keyword] = openToExpressions(value, { secrets });
    else if (ofLists.includes(keyword) && Array.isArray(value))
      // A choice between whole shapes stays one: each branch is open inside.
      open[keyword] = value.map((branch) => openToExpressions(branch, { isTop: true, secrets }));
    else if (ofMaps.includes(keyword))
      open[keyword] = Object.fromEntries(
        Object.entries(value as JsonObject).map(([name, inner]) => [name, openToExpressions(inner, { secrets })]),
      );
    else open[keyword] = value;
  }
  const others = [
    ...(refusesTexts(schema) ? [expressionText] : []),
    ...(secrets === "all" && mayBeText(schema) ? [namedSecret] : []),
  ];
  if (isTop || others.length === 0) return open;
  const { description, title, default: standard, ...rest } = open;
  const about = Object.entries({ title, description, default: standard }).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(about) as JsonObject), anyOf: [rest, ...others] };
}

function isMarked(schema: JsonObject): boolean {
  const branches = [schema.anyOf, schema.oneOf, schema.allOf].flatMap((list) => (list ?? []) as JsonObject[]);
  return [schema, ...branches].some(({ writeOnly }) => writeOnly === true);
}

const mayBeText = ({ type }: JsonObject) => type === undefined || [type].flat().includes("string");

// Where any text will do, one with an expression does, too.
function refusesTexts({ type, enum: values, const: only, pattern, format, maxLength, $ref, anyOf, oneOf }: JsonObject) {
  if ([values, only, pattern, format, maxLength, $ref, anyOf, oneOf].some((keyword) => keyword !== undefined))
    return true;
  return type !== undefined && type !== "string" && !(Array.isArray(type) && type.includes("string"));
}
