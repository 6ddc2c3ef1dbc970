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
}
interface Inner {
  form: "block" | "loop";
  items: number;
  skipped: boolean;
  continueOnError: boolean;
  steps: Tree[];
  onFailure: Tree[];
  finally: Tree[];
}
type Tree = Leaf | Inner;

// ---- the rules, said once more, simply: which attempts happen in which order, and how it ends ----

function expectList(trees: Tree[], seen: string[], where: string): boolean {
  for (const [index, tree] of trees.entries()) {
    if (!expectTree(tree, seen, `${where}.${index}`) && !tree.continueOnError) return false;
  }
  return true;
}

function expectTree(tree: Tree, seen: string[], where: string): boolean {
  if (tree.skipped) return true;
  if (tree.form === "leaf") {
    const allowed = tree.retryable ? tree.retries + 1 : 1;
    const made = Math.min(allowed, tree.failures + 1);
    for (let attempt = 1; attempt <= made; attempt++) seen.push(`${where}:${tree.name}#${attempt}`);
    return made > tree.failures;
  }
  if (tree.form === "block") return expectBody(tree, seen, where);
  let good = true;
  for (let item = 0; item < tree.items; item++) {
    if (expectBody(tree, seen, `${where}[${item}]`)) continue;
    good = false;
    if (!tree.continueOnError) break;
  }
  // A loop that goes on after a failed item has succeeded as a whole.
  return good || tree.continueOnError;
}

function expectBody(body: Pick<Inner, "steps" | "onFailure" | "finally">, seen: string[], where: string): boolean {
  const good = expectList(body.steps, seen, `${where}s`);
  if (!good) expectList(body.onFailure, seen, `${where}f`);
  return expectList(body.finally, seen, `${where}z`) && good;
}

// ---- random trees and their documents ----

const common = { skipped: fc.boolean().map((no) => no && true), continueOnError: fc.boolean() };
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
      form: fc.constantFrom("block", "loop"),
      items: fc.nat(3),
      steps: tie("list"),
      onFailure: tie("list"),
      finally: tie("list"),
      ...common,
    }),
  ),
}));

function documentOf(item: Tree): WorkflowStep {
  const shared = { if: `\${{ ${!item.skipped} }}`, continueOnError: item.continueOnError };
  if (item.form === "leaf") {
    const { name, retries } = item;
    return { uses: `test/${name}`, with: {}, retry: { retries, delay: "1s", backoff: 1 }, ...shared } as WorkflowStep;
  }
  const lists = {
    steps: item.steps.map(documentOf),
    onFailure: item.onFailure.map(documentOf),
    finally: item.finally.map(documentOf),
  };
  const loop =
    item.form === "loop" ? { forEach: Array.from({ length: item.items }, (_, index) => index), as: "it" } : {};
  return { ...loop, ...lists, ...shared } as WorkflowStep;
}

/** The leaf at a path of the journal, and its place in the words of the rules above. */
function locate(root: Inner, path: string): { leaf: Leaf; where: string } {
  const words = path.split("/");
  const names = { steps: "s", onFailure: "f", finally: "z" } as const;
  let body: Inner = root;
  let where = "";
  for (;;) {
    if (words[0] === "items") where += `[${words.splice(0, 2)[1]}]`;
    const [list, index] = words.splice(0, 2) as [keyof typeof names, string];
    where += `${names[list]}.${index}`;
    const next = body[list][Number(index)]!;
    if (next.form === "leaf") return { leaf: next, where };
    body = next;
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
          items: 0,
          skipped: false,
          continueOnError: false,
          steps,
          onFailure: failing,
          finally: failing,
        };
        const expected: string[] = [];
        const good = expectBody(root, expected, "");

        const document = {
          name: "t",
          steps: steps.map(documentOf),
          onFailure: failing.map(documentOf),
          finally: failing.map(documentOf),
        };
        const program = compileProgram(document as unknown as Workflow);
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
          const { leaf, where } = locate(root, attempt.path);
          const node = state.nodes.get(attempt.path)!;
          const name = `${where}:${leaf.name}#${node.attempt}`;
          assert.ok(!seen.has(name), `${name} ended and begins again`);
          seen.add(name);
          order.push(name);
          const entry = resultOf(leaf, attempt.path, node, now);
          applyRecord(state, entry);
          journal.push(entry);
        }
        assert.deepEqual(order, expected);
        assert.equal(state.ended?.status, good ? "succeeded" : "failed");
      },
    ),
    { numRuns: 500 },
  );
});

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
