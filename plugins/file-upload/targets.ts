import { PluginError } from "gantry";
import { providerUnknown } from "./failures.ts";
import type { UploadTarget } from "./service.ts";

const kind = "upload-target:";
/** What is meant where a `start` names none, as in the original. */
const usual = "generic";

/** The providers of storage there are, by name. */
export class Targets {
  readonly #targets: Map<string, UploadTarget>;

  constructor(services: Record<string, unknown>) {
    const found = Object.entries(services).filter(([name]) => name.startsWith(kind));
    this.#targets = new Map(
      found
        .map(([name, service]) => [name.slice(kind.length).toLowerCase(), service as UploadTarget] as const)
        .toSorted(([one], [other]) => (one < other ? -1 : 1)),
    );
  }

  names(): string[] {
    return [...this.#targets.keys()];
  }

  /** The provider that the options name. Rejects with what the hub is answered. */
  async choose(options: Record<string, string>): Promise<string> {
    const name = (options["storage.provider"] ?? usual).toLowerCase();
    const target = this.#targets.get(name);
    if (target === undefined) throw providerUnknown(options["storage.provider"] ?? usual);
    await target.check({ options }).catch((error: PluginError) => {
      throw new PluginError("FILE_UPLOAD_OPTIONS_INVALID", error.message, { details: { reason: error.code ?? "" } });
    });
    return name;
  }
}
