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
  FILE_UNREADABLE: {
    description: "A file that is named cannot be read.",
    remedy: "Check the path and the rights of the file.",
  },
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
    remedy:
      "Install a version of the plugin, or of Gantry, that fits; `host` in plugin.json is a range such as ^1.0.0.",
  },
  PLUGIN_IN_PROCESS_ONLY: {
    description: "A plugin that can run in the host's process only would have a process of its own.",
    remedy:
      'Take `isolation` out of its entry; one that is not Gantry\'s own needs `"isolation": "in-process"`, which gives it the host\'s rights.',
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
  DOCUMENT_ENCODING: {
    description: "A document is not encoded in UTF-8.",
    remedy: "Save the file as UTF-8 in your editor, or convert it (`iconv -t utf-8`).",
  },
  DOCUMENT_TOO_DEEP: {
    description: "Objects and lists are nested too deeply.",
    remedy: "Flatten the document; 64 levels are allowed.",
  },
  DOCUMENT_TOO_LARGE: {
    description: "A document is larger than 1 MiB.",
    remedy: "Split the document, or keep large values in files that its steps read.",
  },
  EXPRESSION_ARGUMENTS: {
    description: "A function of an expression is called with too few or too many arguments.",
    remedy: "Compare the call with the list of functions in docs/expressions.md.",
  },
  EXPRESSION_NOT_MARKED: {
    description: "A text holds what would be an expression in another language, and here it is a text.",
    remedy: "Write `${{ }}` around it, in the value of a member; if the text is meant as it stands, leave it.",
  },
  EXPRESSION_SYNTAX: {
    description: "An expression cannot be read.",
    remedy: "Correct it at the marked place; docs/expressions.md shows what an expression may hold.",
  },
  EXPRESSION_TOO_COMPLEX: {
    description: "An expression is too long or nested too deeply.",
    remedy: "Compute parts of it in `vars`, or in a step of its own.",
  },
  EXPRESSION_UNCLOSED: {
    description: "An expression begins with `${{` and is not closed.",
    remedy: "Add `}}`; a text that shall hold `${{` itself can be made by an expression: `${{ '${{' }}`.",
  },
  EXPRESSION_UNKNOWN_CONTEXT: {
    description: "An expression begins with a name that means nothing at this place.",
    remedy: "Use one of the names the message lists; which names exist where is in docs/expressions.md.",
  },
  EXPRESSION_UNKNOWN_FUNCTION: {
    description: "An expression calls a function that does not exist.",
    remedy: "Use a function of the list in docs/expressions.md; names are case-sensitive.",
  },
  KEY_DUPLICATE: {
    description: "An object has the same key twice.",
    remedy: "Remove one of the two members, or rename it.",
  },
  KEY_MISSING: {
    description: "An object lacks a member it must have.",
    remedy: "Add the member that the message names.",
  },
  KEY_UNKNOWN: {
    description: "An object has a member that is not known there.",
    remedy: "Correct the name, or remove the member; `with` takes only the inputs of its step.",
  },
  MEMBER_WITHOUT_EFFECT: {
    description: "A workflow that others call has a member that holds only for runs of its own.",
    remedy: "Put the member into the workflow that calls, or remove it.",
  },
  PLUGIN_NOT_ENABLED: {
    description: "A workflow uses a plugin that is not enabled; it is not active.",
    remedy: "Enable the plugin in plugins.json, or take the workflow out of the configured folders.",
  },
  REFERENCE_UNKNOWN: {
    description: "An expression reads something that no step, input or configuration here has.",
    remedy: "Correct the path; steps are visible after they have run, in their own list and inside it.",
  },
  SCHEMA_INVALID: {
    description: "A JSON Schema in the document is none itself.",
    remedy: "Correct the schema at the marked place (JSON Schema 2020-12).",
  },
  SECRET_NOT_TAKEN: {
    description: "A secret is named where none may stand.",
    remedy:
      'Write `{"$secret": NAME}` into an input that the step marks as a secret, or into the configuration of the plugin where it has a setting for it.',
  },
  SIGNAL_UNMATCHED: {
    description: "No workflow here sends a signal that is waited for, or waits for one that is sent.",
    remedy: "Compare the names, which are exact; signals that come from elsewhere (`gantry signal`) need nothing here.",
  },
  STEP_FORM: {
    description:
      "A step mixes forms or lacks one: it is either `uses`, a `forEach` with `steps`, a `parallel`, or a block of `steps`.",
    remedy: "Keep the members of one form; put the others into a step of their own.",
  },
  STEP_ID_DUPLICATE: {
    description: "Two steps that see each other have the same id.",
    remedy: "Rename one of them.",
  },
  STEP_MAY_BE_SKIPPED: {
    description: "The outputs of a step that has an `if` are read as if it had run.",
    remedy: "Say what holds otherwise with `default(value, fallback)`, or give what reads them the same `if`.",
  },
  STEP_NOT_FOUND: {
    description: "No installed plugin has the step that `uses` names.",
    remedy: "Correct the name (`plugin/step`), or add the plugin to plugins.json.",
  },
  SYNTAX: {
    description: "The text is not JSON.",
    remedy: "Correct the marked place; an editor that knows JSON shows it while you type.",
  },
  TRIGGER_DUPLICATE: {
    description: "Two workflows are started by the same command, and a command has one answer.",
    remedy: 'Set `"enabled": false` in one of them, or give its trigger other settings.',
  },
  TRIGGER_NOT_FOUND: {
    description: "No installed plugin has the trigger that `on` names.",
    remedy: "Correct the name (`plugin/trigger`), or add the plugin to plugins.json.",
  },
  VALUE_WRONG: {
    description: "A value is not of the kind that is expected there.",
    remedy:
      "Write what the message asks for; in a workflow, an expression may give it where it differs from run to run.",
  },
  WORKFLOW_NOT_CALLABLE: {
    description: "A workflow that is called has triggers of its own.",
    remedy: "Move the shared steps into a workflow without `on`, and call that one from both.",
  },
  WORKFLOW_CIRCLE: {
    description: "A workflow calls itself, directly or through others.",
    remedy: "Take one of the calls out of the circle that the message shows; a `forEach` repeats steps.",
  },
  WORKFLOW_NOT_FOUND: {
    description: "No document in the configured folders has the name that `uses: workflow:<name>` asks for.",
    remedy: "Correct the name, or put the document into a folder of `workflows` in plugins.json.",
  },
} as const satisfies Record<string, { description: string; remedy: string }>;

export type FaultCode = keyof typeof faultCatalogue;

/** As they stand in the document. */
export function inOrder(faults: Fault[]): Fault[] {
  return faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
