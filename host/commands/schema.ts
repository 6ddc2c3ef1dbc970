import { workflowSchema } from "../editing/workflow-schema.ts";
import { GantryError } from "../errors.ts";
import { readHost } from "../loading/read-host.ts";

/** Writes the JSON Schema of workflows for this configuration to standard output. Throws CONFIGURATION_INVALID. */
export async function schema({ config }: { config: string }): Promise<number> {
  const documents = readHost(config);
  if (documents.configuration === undefined) {
    const [first] = documents.faults;
    const why = first === undefined ? "" : `: ${first.message}`;
    throw new GantryError("CONFIGURATION_INVALID", `${config} is no usable configuration${why}`);
  }
  process.stdout.write(`${JSON.stringify(workflowSchema(documents.catalogue), null, 2)}\n`);
  return 0;
}
