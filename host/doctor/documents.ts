import type { HostDocuments } from "../loading/read-host.ts";
import { type Finding, good, missing } from "./finding.ts";

export function checkDocuments({ faults, workflows, plugins }: HostDocuments): Finding {
  const about = "documents";
  const serious = faults.filter(({ severity }) => severity === "fault");
  const [first] = serious;
  if (first === undefined) return good(about, `${plugins.length} plugins, ${workflows.length} active workflows`);
  const place = `${first.file}:${first.line}:${first.column}`;
  const message = `${serious.length} ${serious.length === 1 ? "fault" : "faults"}; the first: ${place} ${first.message}`;
  return missing(about, message, "Run `gantry validate`, which shows each with its place.");
}
