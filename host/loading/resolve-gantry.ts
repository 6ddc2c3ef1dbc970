import { registerHooks } from "node:module";

// `.ts` in the repository, `.js` in the package.
const extension = import.meta.url.slice(-3);
const sdk = new URL(`../sdk${extension}`, import.meta.url).href;

let installed = false;

/**
 * Lets plugins from anywhere on the disk import `gantry`, and gives all of them the host's own copy of it, whatever
 * stands in their `node_modules`. Worker threads do not inherit this.
 */
export function resolveGantry(): void {
  if (installed) return;
  installed = true;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "gantry" ? { url: sdk, shortCircuit: true } : next(specifier, context),
  });
}
