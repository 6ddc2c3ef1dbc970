import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openStore, type StoreOptions } from "../../host/store/open.ts";
import type { Store } from "../../host/store/store.ts";

const stacks = new WeakMap<TestContext, AsyncDisposableStack>();

/** Like `t.after`, but what was made last goes first: the store before its folder. */
export function atEnd(t: TestContext, act: () => unknown): void {
  let stack = stacks.get(t);
  if (stack === undefined) {
    stack = new AsyncDisposableStack();
    stacks.set(t, stack);
    t.after(() => stacks.get(t)!.disposeAsync());
  }
  stack.defer(async () => {
    await act();
  });
}

/** A data folder that is gone after the test. */
export function storeFolder(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "gantry-store-"));
  atEnd(t, () => rmSync(directory, { recursive: true }));
  return directory;
}

export async function testStore(
  t: TestContext,
  options: StoreOptions = {},
  directory = storeFolder(t),
): Promise<Store> {
  const store = await openStore(directory, options);
  atEnd(t, () => store.close());
  return store;
}
