import { registerHooks } from "node:module";

// `.ts` in the repository, `.js` in the package.
const extension = import.meta.url.slice(-3);
const placeOf = (file: string) => new URL(`../${file}${extension}`, import.meta.url).href;
const sdk = placeOf("sdk");

let installed = false;

/**
 * Lets plugins from anywhere on the disk import `gantry` and its toolkit, and gives all of them the host's own copy of
 * it, whatever stands in their `node_modules`. Worker threads do not inherit this.
 */
export function resolveGantry(): void {
  if (installed) return;
  installed = true;
  registerHooks({
    resolve(specifier, context, next) {
      const [whole, tool] = /^gantry(?:\/toolkit\/([a-z-]+))?$/.exec(specifier) ?? [];
      if (whole === undefined) return next(specifier, context);
      return { url: tool === undefined ? sdk : placeOf(`toolkit/${tool}`), shortCircuit: true };
    },
  });
}
