// The rules of the language for steps that go one after the other, said once more and simply: which attempts happen in
// which order, what each of them sees of the steps before it, and how it ends. Nothing of the product is used here.

/** A step whose first `failures` attempts fail; `retries` further ones are allowed, if the failure is `retryable`. */
export interface Leaf {
  form: "leaf";
  name: string;
  failures: number;
  retries: number;
  retryable: boolean;
  skipped: boolean;
  continueOnError: boolean;
  /** Whether it can be undone, and whether its undoing then fails. */
  undo: "none" | "works" | "fails";
}

export interface Inner {
  form: "block" | "loop" | "call";
  /** Of a call: whether it is undone as a whole. */
  undo: Leaf["undo"];
  items: number;
  skipped: boolean;
  continueOnError: boolean;
  steps: Tree[];
  onFailure: Tree[];
  finally: Tree[];
}

/** Time passes, and nothing is attempted. */
export interface Pause {
  form: "pause";
  skipped: boolean;
  continueOnError: boolean;
  undo: "none";
}

export type Tree = Leaf | Inner | Pause;
export type Body = Pick<Inner, "steps" | "onFailure" | "finally">;

/** What `steps` is at one place: by id (`idOf` of a place) what became of the steps before. */
export type Ids = Record<string, { status: string; outputs: unknown }>;

/** What was seen, and what would have to be undone by now, in order of start. */
export interface Seen {
  /** An undoing is told as the place and a `~`, and its `sees` is not looked at. */
  attempts: { name: string; sees: Ids | undefined }[];
  undoable: string[];
}

/** Ids are names of places, so that each stands for one thing only; a document does not know the numbers of items. */
export const idOf = (list: string, index: number) =>
  `${list.replaceAll(/\[\d*\]/g, "i").replaceAll(/[^a-z0-9]/g, "_")}_${index}`;

/** What became of a tree. */
interface Result {
  good: boolean;
  outputs: unknown;
}

const failed: Result = { good: false, outputs: null };

export function expectBody(body: Body, seen: Seen, where: string, cleaning: boolean, outer: Ids): Result {
  const before = seen.undoable.length;
  const ids = { ...outer };
  const good = expectList(body.steps, seen, `${where}s`, cleaning, ids);
  const outputs = good
    ? { last: body.steps.length === 0 ? null : ids[idOf(`${where}s`, body.steps.length - 1)] }
    : null;
  if (!good) {
    undo(seen, before);
    expectList(body.onFailure, seen, `${where}f`, true, ids);
    seen.undoable.length = before;
  }
  const stands = seen.undoable.length;
  const clean = expectList(body.finally, seen, `${where}z`, true, ids);
  // What was done while cleaning up is not undone by what fails around it.
  seen.undoable.length = stands;
  return good && clean ? { good, outputs } : failed;
}

/** Whether it came to its end; `ids` takes what its steps became. */
function expectList(trees: Tree[], seen: Seen, list: string, cleaning: boolean, ids: Ids): boolean {
  for (const [index, tree] of trees.entries()) {
    const place = `${list}.${index}`;
    const { good, outputs } = expectTree(tree, seen, place, cleaning, ids);
    const status = tree.skipped ? "skipped" : good ? "succeeded" : "failed";
    ids[idOf(list, index)] = { status, outputs };
    if (good || tree.skipped) continue;
    if (!tree.continueOnError) return false;
    // The rest goes on as if the step had not been: what it did itself is taken back. (A block has undone its steps by
    // then, unless they were fine and only its `finally` failed; then they stand.)
    if (seen.undoable.at(-1) === place) undo(seen, seen.undoable.length - 1);
  }
  return true;
}

function undo(seen: Seen, downTo: number): void {
  while (seen.undoable.length > downTo) seen.attempts.push({ name: `${seen.undoable.pop()}~`, sees: undefined });
}

function expectTree(tree: Tree, seen: Seen, place: string, cleaning: boolean, ids: Ids): Result {
  if (tree.skipped) return failed;
  if (tree.form === "pause") return { good: true, outputs: {} };
  if (tree.form === "leaf") return expectLeaf(tree, seen, place, cleaning, ids);
  if (tree.form === "block") return expectBody(tree, seen, place, cleaning, ids);
  if (tree.form === "loop") return expectLoop(tree, seen, place, cleaning, ids);
  const before = seen.undoable.length;
  // It sees nothing of its caller, and its main steps are main steps wherever it is called.
  const result = expectBody(tree, seen, `${place}c`, false, {});
  if (tree.undo === "none" || cleaning) return result;
  // Undone as a whole, and no longer from inside.
  seen.undoable.length = before;
  seen.undoable.push(place);
  return result;
}

function expectLeaf(leaf: Leaf, seen: Seen, place: string, cleaning: boolean, ids: Ids): Result {
  const allowed = leaf.retryable ? leaf.retries + 1 : 1;
  const made = Math.min(allowed, leaf.failures + 1);
  for (let attempt = 1; attempt <= made; attempt++)
    seen.attempts.push({ name: `${place}:${leaf.name}#${attempt}`, sees: { ...ids } });
  if (leaf.undo !== "none" && !cleaning) seen.undoable.push(place);
  return made > leaf.failures ? { good: true, outputs: { made } } : failed;
}

function expectLoop(loop: Inner, seen: Seen, place: string, cleaning: boolean, ids: Ids): Result {
  const items: unknown[] = [];
  for (let item = 0; item < loop.items; item++) {
    const { good, outputs } = expectBody(loop, seen, `${place}[${item}]`, cleaning, ids);
    items.push(outputs);
    // A loop that goes on after a failed item has succeeded as a whole.
    if (!good && !loop.continueOnError) return failed;
  }
  return { good: true, outputs: { items } };
}
