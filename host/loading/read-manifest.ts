import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import satisfies from "semver/functions/satisfies.js";
import valid from "semver/functions/valid.js";
import validRange from "semver/ranges/valid.js";
import type { PluginManifest } from "../../schemas/plugin.types.ts";
import { checkManifest } from "../documents/check-manifest.ts";
import { type Document, faultAt, readDocument } from "../documents/document.ts";
import { type Fault, inOrder } from "../documents/fault.ts";
import { PLUGIN_API_VERSION } from "../sdk.ts";
import { liesWithin } from "./locate-plugin.ts";

export interface ManifestReading {
  /** As far as it could be read. */
  document: Document | undefined;
  /** Undefined when it does not follow the schema. */
  manifest: PluginManifest | undefined;
  /** The absolute path of the module; undefined when there is none. */
  main: string | undefined;
  faults: Fault[];
}

/**
 * Reads and checks `plugin.json` in a folder with links resolved; runs no plugin code. `builtIn`: it is one of Gantry's
 * own, whose schemas are not checked again.
 */
export function readManifest(directory: string, builtIn: boolean): ManifestReading {
  const { document, faults } = readDocument(join(directory, "plugin.json"));
  if (document === undefined) return { document, manifest: undefined, main: undefined, faults };
  const found = [...faults, ...checkManifest(document, { known: builtIn })];
  const serious = found.filter(({ severity }) => severity === "fault");
  const given = (document.value ?? {}) as unknown as Partial<PluginManifest>;
  const soundText = (member: "version" | "host" | "main") =>
    serious.some(({ pointer }) => pointer === `/${member}`) || typeof given[member] !== "string"
      ? undefined
      : given[member];
  const named = soundText("main");
  const main = named === undefined ? undefined : locateMain(document, directory, named);
  const further = [
    ...checkVersions(document, { version: soundText("version"), host: soundText("host") }),
    ...(typeof main === "object" ? [main] : []),
  ];
  return {
    document,
    manifest: serious.length > 0 ? undefined : (given as PluginManifest),
    main: serious.length === 0 && typeof main === "string" ? main : undefined,
    faults: inOrder([...found, ...further]),
  };
}

function checkVersions(
  document: Document,
  { version, host }: { version?: string | undefined; host?: string | undefined },
): Fault[] {
  const faults: Fault[] = [];
  if (version !== undefined && valid(version) === null)
    faults.push(
      faultAt(document, "/version", {
        code: "PLUGIN_VERSION_INVALID",
        message: `"${version}" is no semantic version such as 1.0.0`,
      }),
    );
  if (host === undefined) return faults;
  if (validRange(host) === null)
    faults.push(
      faultAt(document, "/host", {
        code: "PLUGIN_HOST_RANGE",
        message: `"${host}" is no range of versions such as ^1.0.0`,
      }),
    );
  else if (!satisfies(PLUGIN_API_VERSION, host))
    faults.push(
      faultAt(document, "/host", {
        code: "PLUGIN_HOST_RANGE",
        message: `the plugin works with ${host} of the plugin interface, but this Gantry has ${PLUGIN_API_VERSION}`,
      }),
    );
  return faults;
}

function locateMain(document: Document, directory: string, main: string): string | Fault {
  const path = join(directory, main);
  if (!existsSync(path))
    return faultAt(document, "/main", { code: "PLUGIN_MAIN_MISSING", message: `there is no file ${path}` });
  if (!liesWithin(path, directory))
    return faultAt(document, "/main", {
      code: "PLUGIN_MAIN_OUTSIDE",
      message: `"${main}" lies outside the plugin's folder`,
    });
  return realpathSync(path);
}
