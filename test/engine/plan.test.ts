// The planner against a plain statement of the language's rules: random workflows, random results, and a crash after
// any record.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { plan } from "../../host/engine/plan.ts";
import { compileProgram } from "../../host/engine/program.ts";
import type { Entry } from "../../host/engine/records.ts";
import { nextAttemptAt } from "../../host/engine/retry.ts";
import { applyRecord, emptyState } from "../../host/engine/state.ts";
import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";

/** A step whose first `failures` attempts fail; `retries` further ones are allowed, if the failure is `retryable`. */
interface Leaf {
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
interface Inner {
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
type Tree = Leaf | Inner;

// ---- the rules, said once more, simply: which attempts happen in which order, and how it ends ----

/** What was seen, and what would have to be undone by now, in order of start. */
interface Seen {
  attempts: string[];
  undoable: string[];
}

function expectList(trees: Tree[], seen: Seen, where: string, cleaning: boolean): boolean {
  for (const [index, tree] of trees.entries()) {
    const place = `${where}.${index}`;
    if (expectTree(tree, seen, place, cleaning)) continue;
    if (!tree.continueOnError) return false;
    // The rest goes on as if the step had not been: what it did itself is taken back. (A block has undone its steps by
    // then, unless they were fine and only its `finally` failed; then they stand.)
    if (seen.undoable.at(-1) === place) undo(seen, seen.undoable.length - 1);
  }
  return true;
}

function undo(seen: Seen, downTo: number): void {
  while (seen.undoable.length > downTo) seen.attempts.push(`${seen.undoable.pop()}~`);
}

function expectTree(tree: Tree, seen: Seen, where: string, cleaning: boolean): boolean {
  if (tree.skipped) return true;
  const isUndoable = tree.undo !== "none" && !cleaning;
  if (tree.form === "leaf") {
    const allowed = tree.retryable ? tree.retries + 1 : 1;
    const made = Math.min(allowed, tree.failures + 1);
    for (let attempt = 1; attempt <= made; attempt++) seen.attempts.push(`${where}:${tree.name}#${attempt}`);
    if (isUndoable) seen.undoable.push(where);
    return made > tree.failures;
  }
  if (tree.form === "block") return expectBody(tree, seen, where, cleaning);
  if (tree.form === "call") {
    const before = seen.undoable.length;
    const good = expectBody(tree, seen, `${where}c`, cleaning);
    if (!isUndoable) return good;
    // Undone as a whole, and no longer from inside.
    seen.undoable.length = before;
    seen.undoable.push(where);
    return good;
  }
  let good = true;
  for (let item = 0; item < tree.items; item++) {
    if (expectBody(tree, seen, `${where}[${item}]`, cleaning)) continue;
    good = false;
    if (!tree.continueOnError) break;
  }
  // A loop that goes on after a failed item has succeeded as a whole.
  return good || tree.continueOnError;
}

function expectBody(
  body: Pick<Inner, "steps" | "onFailure" | "finally">,
  seen: Seen,
  where: string,
  cleaning: boolean,
): boolean {
  const before = seen.undoable.length;
  const good = expectList(body.steps, seen, `${where}s`, cleaning);
  if (!good) {
    undo(seen, before);
    expectList(body.onFailure, seen, `${where}f`, true);
  }
  return expectList(body.finally, seen, `${where}z`, true) && good;
}

// ---- random trees and their documents ----

const common = {
  skipped: fc.boolean().map((no) => no && true),
  continueOnError: fc.boolean(),
  undo: fc.constantFrom<Leaf["undo"]>("none", "works", "fails"),
};
const { tree } = fc.letrec<{ tree: Tree; list: Tree[] }>((tie) => ({
  list: fc.array(tie("tree"), { maxLength: 3 }),
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record<Leaf>({
      form: fc.constant("leaf"),
      name: fc.stringMatching(/^[a-z]{3}$/),
      failures: fc.nat(3),
      retries: fc.nat(3),
      retryable: fc.boolean(),
      ...common,
    }),
    fc.record<Inner>({
      form: fc.constantFrom("block", "loop", "call"),
      items: fc.nat(3),
      steps: tie("list"),
      onFailure: tie("list"),
      finally: tie("list"),
      ...common,
    }),
  ),
}));

/** `called` takes the workflows that calls lead to. */
function documentOf(item: Tree, called: Map<string, Workflow>, cleaning: boolean): WorkflowStep {
  const shared = { if: `\${{ ${!item.skipped} }}`, continueOnError: item.continueOnError };
  const undoing = item.undo === "none" || cleaning ? {} : { undo: { uses: "test/undo" } };
  if (item.form === "leaf") {
    const { name, retries } = item;
    const retry = { retries, delay: "1s", backoff: 1 };
    return { uses: `test/${name}`, with: {}, retry, ...undoing, ...shared } as WorkflowStep;
  }
  const lists = {
    steps: item.steps.map((inner) => documentOf(inner, called, cleaning)),
    onFailure: item.onFailure.map((inner) => documentOf(inner, called, true)),
    finally: item.finally.map((inner) => documentOf(inner, called, true)),
  };
  if (item.form === "call") {
    const name = `w${called.size}`;
    called.set(name, { name, ...lists } as Workflow);
    return { uses: `workflow:${name}`, ...undoing, ...shared } as WorkflowStep;
  }
  const loop =
    item.form === "loop" ? { forEach: Array.from({ length: item.items }, (_, index) => index), as: "it" } : {};
  return { ...loop, ...lists, ...shared } as WorkflowStep;
}

/** What acts at a path of the journal: a leaf, or the undoing of a tree; and its place in the words of the rules above. */
function locate(root: Inner, path: string): { tree: Tree; where: string; undoes: boolean } {
  const words = path.split("/");
  const names = { steps: "s", onFailure: "f", finally: "z" } as const;
  let body: Inner = root;
  let where = "";
  for (;;) {
    if (words[0] === "items") where += `[${words.splice(0, 2)[1]}]`;
    if (words[0] === "call") where += words.shift()!.slice(0, 1);
    const [list, index] = words.splice(0, 2) as [keyof typeof names, string];
    where += `${names[list]}.${index}`;
    const tree = body[list][Number(index)]!;
    if (words[0] === "undo") return { tree, where, undoes: true };
    if (tree.form === "leaf") return { tree, where, undoes: false };
    body = tree;
  }
}

test("attempts, their order and the end are those of the rules, whatever record a crash comes after", () => {
  fc.assert(
    fc.property(
      fc.array(tree, { maxLength: 3 }),
      fc.array(tree, { maxLength: 2 }),
      fc.array(fc.nat(20), { maxLength: 30 }),
      (steps, failing, crashes) => {
        const root: Inner = {
          form: "block",
          undo: "none",
          items: 0,
          skipped: false,
          continueOnError: false,
          steps,
          onFailure: failing,
          finally: failing,
        };
        const expected: Seen = { attempts: [], undoable: [] };
        const good = expectBody(root, expected, "", false);

        const called = new Map<string, Workflow>();
        const document = {
          name: "t",
          steps: steps.map((item) => documentOf(item, called, false)),
          onFailure: failing.map((item) => documentOf(item, called, true)),
          finally: failing.map((item) => documentOf(item, called, true)),
        };
        const program = compileProgram(document as unknown as Workflow, called);
        const journal: Entry[] = [];
        let state = emptyState();
        let now = 0;
        const seen = new Set<string>();
        const order: string[] = [];
        for (let turn = 0; state.ended === undefined; turn++) {
          assert.ok(turn < 10_000, "the run never ends");
          const next = plan(program, state, {}, now);
          journal.push(...next.records);
          if (crashes[turn] !== undefined && crashes[turn]! > 10) {
            // Everything in memory is gone; what was committed is read again.
            state = emptyState();
            for (const entry of journal) applyRecord(state, JSON.parse(JSON.stringify(entry)));
            continue;
          }
          if (state.ended !== undefined) break;
          assert.ok(next.attempts.length <= 1, "steps of this language go one after the other");
          const attempt = next.attempts[0];
          if (attempt === undefined) {
            assert.ok(next.wakeAt !== undefined && next.wakeAt > now, "nothing to do and nothing to wait for");
            now = next.wakeAt;
            continue;
          }
          const { tree: acting, where, undoes } = locate(root, attempt.path);
          const node = state.nodes.get(attempt.path)!;
          const name = undoes ? `${where}~` : `${where}:${(acting as Leaf).name}#${node.attempt}`;
          assert.ok(!seen.has(name), `${name} ended and begins again`);
          seen.add(name);
          order.push(name);
          const entry = undoes ? undone(acting, attempt.path) : resultOf(acting as Leaf, attempt.path, node, now);
          applyRecord(state, entry);
          journal.push(entry);
        }
        assert.deepEqual(order, expected.attempts);
        assert.equal(state.ended?.status, good ? "succeeded" : "failed");
      },
    ),
    { numRuns: 500 },
  );
});

function undone({ undo: result }: Tree, path: string): Entry {
  if (result === "works") return { kind: "succeeded", path, data: { output: {} } };
  return { kind: "failed", path, data: { error: { code: "NO", message: "no", retryable: true } } };
}

function resultOf(
  leaf: Leaf,
  path: string,
  node: {
    attempt: number;
    begun?: Parameters<typeof nextAttemptAt>[0] extends never ? never : { retry?: Parameters<typeof nextAttemptAt>[0] };
  },
  now: number,
): Entry {
  if (node.attempt > leaf.failures) return { kind: "succeeded", path, data: { output: {} } };
  const error = { code: "NO", message: "no", retryable: leaf.retryable };
  const at = nextAttemptAt(node.begun?.retry, node.attempt, error, now);
  return at === undefined ? { kind: "failed", path, data: { error } } : { kind: "retry", path, data: { error, at } };
}
