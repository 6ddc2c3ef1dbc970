/** One mistake in a document, at its place. `line` and `column` count from 1, columns in UTF-16 units. */
export interface Fault {
  file: string;
  line: number;
  column: number;
  /** How many UTF-16 units of that line are wrong; for underlining. */
  length: number;
  /** JSON pointer of the value (or of the property) concerned; "" is the whole document. */
  pointer: string;
  code: FaultCode;
  /** What is wrong and what was expected, in one sentence. */
  message: string;
  /** The nearest valid name. */
  suggestion?: string;
  /** A note says what deserves a look; only faults make a document unusable. */
  severity: "fault" | "note";
}

/** What each fault code means and how to put it right; `docs/errors.md` explains the same codes. */
export const faultCatalogue = {
  FILE_UNREADABLE: { description: "A file that is named cannot be read.", remedy: "Check the path and the rights of the file." },
  // Plugins and folders, found while the host's documents are put together
  CONFIG_IGNORED: {
    description: "A configuration name that has no use here, taken over from the daemon this plugin replaces.",
    remedy: "Nothing to do; remove it when convenient.",
  },
  PLUGIN_CIRCLE: {
    description: "Plugins require each other in a circle, so none of them can start first.",
    remedy: "Remove one of the `requires` in their plugin.json, or do not enable one of them.",
  },
  PLUGIN_DUPLICATE: {
    description: "Two entries of plugins.json give plugins of the same name.",
    remedy: "Remove one of the entries.",
  },
  PLUGIN_HOST_RANGE: {
    description: "A plugin does not work with this version of the plugin interface.",
    remedy: "Install a version of the plugin, or of Gantry, that fits; `host` in plugin.json is a range such as ^1.0.0.",
  },
  PLUGIN_MAIN_MISSING: {
    description: "The module that a manifest names in `main` is not there.",
    remedy: "Correct `main` in plugin.json (it is relative to the plugin's folder), or build the plugin.",
  },
  PLUGIN_MAIN_OUTSIDE: {
    description: "The module that a manifest names in `main` lies outside the plugin's folder.",
    remedy: "Move it into the plugin's folder; links must not lead out of it either.",
  },
  PLUGIN_NOT_FOUND: {
    description: "There is no built-in plugin, folder or package of this name.",
    remedy: "Correct the name, or install the package beside plugins.json (`npm install NAME`).",
  },
  PLUGIN_VERSION_INVALID: {
    description: "The version of a plugin is not a semantic version.",
    remedy: "Write it as in 1.0.0.",
  },
  REQUIREMENT_DISABLED: {
    description: "A plugin requires another one that is not enabled.",
    remedy: 'Take `"enabled": false` from the required plugin, or disable the one that requires it.',
  },
  REQUIREMENT_UNKNOWN: {
    description: "No plugin has or provides what a plugin requires.",
    remedy: "Add the plugin that provides it to plugins.json.",
  },
  SERVICE_DUPLICATE: {
    description: "Two enabled plugins provide the same service.",
    remedy: "Disable one of them.",
  },
  WORKFLOW_DUPLICATE: {
    description: "Two workflows have the same name.",
    remedy: "Rename one of them, or move it out of the configured folders.",
  },
  WORKFLOW_ENABLED_INVALID: {
    description: "The expression in `enabled` does not give true or false.",
    remedy: "Compare the expression with the plugins' configuration (`config.<plugin>`).",
  },
  WORKFLOW_FOLDER_MISSING: {
    description: "A folder of `workflows` in plugins.json is not there.",
    remedy: "Correct the path (it is relative to the folder of plugins.json), or create the folder.",
  },
} as const satisfies Record<string, { description: string; remedy: string }>;

export type FaultCode = keyof typeof faultCatalogue;
