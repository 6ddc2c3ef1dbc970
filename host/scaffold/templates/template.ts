import type { JsonObject } from "../../sdk.ts";

export const kinds = ["step", "trigger", "service"] as const;
export type Kind = (typeof kinds)[number];

export const languages = ["typescript", "javascript"] as const;
export type Language = (typeof languages)[number];

/** What the files of a new plugin are made of. */
export interface Facts {
  /** Of the plugin. */
  name: string;
  /** What its error codes begin with. */
  prefix: string;
  /** What the types of its service begin with. */
  pascal: string;
  /** How its modules end: `ts` or `js`. */
  extension: "ts" | "js";
  /** The module of its types. */
  types: "plugin.types.ts" | "plugin.types.d.ts";
}

export interface Template {
  /** Without its name, version, `host` and `main`. */
  manifest: JsonObject;
  /** By path in the plugin's folder. */
  files: Record<string, string>;
  /** What it contributes: the middle of its README. */
  readme: string;
}

/** How a module begins: JavaScript says that it is to be checked. */
export const headOf = ({ extension }: Facts) => (extension === "ts" ? "" : "// @ts-check\n");

/** The text of a module in its language. */
export const inLanguage = (facts: Facts, typescript: string, javascript: string) =>
  facts.extension === "ts" ? typescript : `${headOf(facts)}${javascript}`;
