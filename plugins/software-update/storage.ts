// Where this plugin keeps what: the layout of the folder is that of the daemon it replaces.

import { createHash } from "node:crypto";
import { isAbsolute, join, resolve } from "node:path";

export class Storage {
  /** As it was configured; what is reported begins with it. */
  readonly #location: string;
  readonly #root: string;

  constructor(storageLocation: string, pluginDirectory: string) {
    this.#location = storageLocation;
    this.#root = isAbsolute(storageLocation) ? storageLocation : resolve(pluginDirectory, storageLocation);
  }

  /** The folder of one operation. */
  operation(runId: string): string {
    return join(this.#root, "download", runId);
  }

  /** Downloads that are kept, each in a folder with a number for a name. */
  get modules(): string {
    return join(this.#root, "modules");
  }

  /** How a kept download is reported. */
  reportedModule(name: string): string {
    return join(this.#location, "modules", name);
  }

  get installedDependencies(): string {
    return join(this.#root, "installed-deps");
  }

  /** The folder with the `remove.sh` of a module; its name says nothing, as a module may be called anything. */
  remover(name: string, version: string): string {
    const digest = createHash("sha256")
      .update(JSON.stringify([name, version]))
      .digest("hex");
    return join(this.#root, "removers", digest.slice(0, 32));
  }
}
