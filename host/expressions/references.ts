import type { Tree } from "./syntax.ts";
import type { Place } from "./tokens.ts";

/** A path an expression reads, as far as it is written out: `steps.fetch.outputs.path`, `inputs.list[0]`. */
export interface Reference extends Place {
  /** The name of the context, then members; ends before the first key that is computed. */
  path: (string | number)[];
  /** The place of each part of `path`. */
  segments: Place[];
  /** Whether null is fine where it stands: in a comparison, a condition, or as what default() replaces. */
  mayBeNull: boolean;
}

/** The longest paths of a tree, each once per place where it stands. */
export function referencesOf(tree: Tree): Reference[] {
  const found: Reference[] = [];
  collect(tree, false, found);
  return found;
}

function collect(tree: Tree, mayBeNull: boolean, found: Reference[]): void {
  switch (tree.kind) {
    case "literal":
      return;
    case "context":
    case "member": {
      const { reference, computed } = follow(tree);
      if (reference !== undefined) found.push({ ...reference, mayBeNull });
      for (const inner of computed) collect(inner, false, found);
      return;
    }
    case "call":
      for (const [index, argument] of tree.args.entries())
        collect(argument, tree.name === "default" && index === 0, found);
      return;
    case "not":
      collect(tree.of, true, found);
      return;
    case "logical":
      for (const argument of tree.args) collect(argument, true, found);
      return;
    case "compare": {
      const isEquality = tree.operator === "==" || tree.operator === "!=";
      collect(tree.left, isEquality, found);
      collect(tree.right, isEquality, found);
      return;
    }
  }
}

/** The path down to a member, and the trees on the way that are expressions of their own. */
function follow(tree: Tree): { reference: Omit<Reference, "mayBeNull"> | undefined; computed: Tree[]; open: boolean } {
  if (tree.kind === "context") {
    const { name, at } = tree;
    return { reference: { path: [name], segments: [at], ...at }, computed: [], open: true };
  }
  if (tree.kind !== "member") return { reference: undefined, computed: [tree], open: false };
  const { reference, computed, open } = follow(tree.of);
  const { key, at } = tree;
  const constant = key.kind === "literal" && (typeof key.value === "string" || typeof key.value === "number");
  if (!constant) return { reference, computed: key.kind === "literal" ? computed : [...computed, key], open: false };
  if (!open || reference === undefined || at === undefined) return { reference, computed, open: false };
  const path = [...reference.path, key.value as string | number];
  const length = at.offset + at.length - reference.offset;
  return {
    reference: { path, segments: [...reference.segments, at], offset: reference.offset, length },
    computed,
    open: true,
  };
}

/** The path of an expression that is nothing but one, written out to its end. */
export function wholePathOf(tree: Tree): readonly (string | number)[] | undefined {
  if (tree.kind !== "context" && tree.kind !== "member") return undefined;
  const { reference, open } = follow(tree);
  return open ? reference?.path : undefined;
}
