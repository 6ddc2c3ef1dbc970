// A document of any kind, checked as `gantry validate FILE` checks it.

import type { VerbCatalogue } from "../../host/documents/catalogue.ts";
import { checkConfiguration } from "../../host/documents/check-configuration.ts";
import { checkManifest } from "../../host/documents/check-manifest.ts";
import { checkWorkflow } from "../../host/documents/check-workflow.ts";
import { type DocumentReading, parseDocument, readDocument } from "../../host/documents/document.ts";
import type { Fault } from "../../host/documents/fault.ts";
import { catalogueAround, catalogueOfPlugins } from "./catalogue.ts";

export type Kind = "workflow" | "manifest" | "configuration";

const catalogue = catalogueOfPlugins();

export function checkFile(file: string, kind: Kind): Fault[] {
  const reading = readDocument(file);
  return check(reading, kind, reading.document === undefined ? {} : { catalogue: catalogueAround(reading.document) });
}

export interface Surroundings {
  catalogue?: VerbCatalogue;
  /** Whether a person named the file; default true. */
  named?: boolean;
}

export function checkText(text: string, kind: Kind = "workflow", surroundings: Surroundings = {}): Fault[] {
  return check(parseDocument("document.json", text), kind, surroundings);
}

function check({ document, faults }: DocumentReading, kind: Kind, surroundings: Surroundings): Fault[] {
  if (document === undefined) return faults;
  if (kind === "manifest") return [...faults, ...checkManifest(document)];
  if (kind === "configuration") return [...faults, ...checkConfiguration(document)];
  return [
    ...faults,
    ...checkWorkflow(document, surroundings.catalogue ?? catalogue, { named: surroundings.named ?? true }),
  ];
}
