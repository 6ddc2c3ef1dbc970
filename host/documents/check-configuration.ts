import pluginsSchema from "../../schemas/plugins.schema.json" with { type: "json" };
import type { JsonObject } from "../sdk.ts";
import type { Document } from "./document.ts";
import { type Fault, inOrder } from "./fault.ts";
import { compileSchema, schemaFaults } from "./schema-check.ts";

let check: ReturnType<typeof compileSchema> | undefined;

/** What can be said of plugins.json alone; whether its plugins and folders exist is found out when they are loaded. */
export function checkConfiguration(document: Document): Fault[] {
  check ??= compileSchema(pluginsSchema as unknown as JsonObject);
  return inOrder(schemaFaults(document, check(document.value)));
}
