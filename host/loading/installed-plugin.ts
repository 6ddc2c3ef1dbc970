import type { PluginManifest } from "../../schemas/plugin.types.ts";
import type { JsonObject } from "../sdk.ts";

/** A plugin that is to be started, as its documents describe it. */
export interface InstalledPlugin {
  name: string;
  manifest: PluginManifest;
  /** Absolute, links resolved. */
  directory: string;
  /** The module to import. Absolute, links resolved; lies inside `directory`. */
  main: string;
  /** Whether it is one of Gantry's own. */
  builtIn: boolean;
  /** With the schema's defaults; secrets are references. */
  config: JsonObject;
  /** Names of the plugins that must be active before. */
  requiredPlugins: string[];
  /** Names of the services it is given; their providers are among `requiredPlugins`. */
  requiredServices: string[];
  /**
   * Where it runs, if the operator says so: `in-process`, or the name of a group whose plugins share a process. Otherwise
   * Gantry's own run in the host's process, and each other one in a process of its own.
   */
  isolation?: string;
  /** The most its process may hold. */
  memoryLimitMb?: number;
  /** Why its documents do not allow to start it. */
  refusal?: string;
}
