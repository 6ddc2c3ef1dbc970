// One JSON Schema for workflow documents, made of the language and of what the plugins contribute: for editors, which
// complete and explain by it. What only the whole document can tell (ids, references) is left to `gantry validate`.

import languageSchema from "../../schemas/workflow.schema.json" with { type: "json" };
import type { StepEntry, TriggerEntry, VerbCatalogue } from "../documents/catalogue.ts";
import type { Json, JsonObject } from "../sdk.ts";

const expressionText = { $ref: "#/$defs/textWithExpression" };

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
  schema.$id = "https://gantry.example/schemas/workflow-documents.schema.json";
  schema.description = "A workflow for the plugins of one host. Made by `gantry schema`.";
  return schema;
}

interface Verb {
  address: string;
  description: string;
  /** JSON Schema of `with`. */
  settings: JsonObject;
}

const byName = ([one]: [string, unknown], [other]: [string, unknown]) => (one < other ? -1 : 1);

function verbOfStep(address: string, { description, input }: StepEntry): Verb {
  return { address, description, settings: input };
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
  definition.allOf = verbs.map(({ address, settings }) => {
    const isNeeded = Array.isArray(settings.required) && settings.required.length > 0;
    return {
      if: { required: [key], properties: { [key]: { const: address } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { properties: { with: openToExpressions(settings, true) }, ...(isNeeded ? { required: ["with"] } : {}) },
    };
  });
}

const ofSchemas = ["items", "additionalProperties", "contains", "propertyNames", "not"];
const ofLists = ["anyOf", "oneOf", "allOf", "prefixItems"];
const ofMaps = ["properties", "patternProperties", "$defs", "dependentSchemas"];

/** The same schema, in which an expression may stand wherever a value does; at its top stands an object all the same. */
function openToExpressions(schema: Json, isTop = false): JsonObject {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return schema as unknown as JsonObject;
  const open: JsonObject = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (ofSchemas.includes(keyword)) open[keyword] = openToExpressions(value);
    else if (ofLists.includes(keyword) && Array.isArray(value))
      // A choice between whole shapes stays one: each branch is open inside.
      open[keyword] = value.map((branch) => openToExpressions(branch, true));
    else if (ofMaps.includes(keyword))
      open[keyword] = Object.fromEntries(
        Object.entries(value as JsonObject).map(([name, inner]) => [name, openToExpressions(inner)]),
      );
    else open[keyword] = value;
  }
  if (isTop || !refusesTexts(schema)) return open;
  const { description, title, default: standard, ...rest } = open;
  const about = Object.entries({ title, description, default: standard }).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(about) as JsonObject), anyOf: [rest, expressionText] };
}

// Where any text will do, one with an expression does, too.
function refusesTexts({ type, enum: values, const: only, pattern, format, maxLength, $ref, anyOf, oneOf }: JsonObject) {
  if ([values, only, pattern, format, maxLength, $ref, anyOf, oneOf].some((keyword) => keyword !== undefined))
    return true;
  return type !== undefined && type !== "string" && !(Array.isArray(type) && type.includes("string"));
}
