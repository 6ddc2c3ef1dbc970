export interface StartOrder {
  /** Every name once, after all that it requires. */
  order: string[];
  /** Each circle once, from the member that was listed first: `["a", "b"]` where a requires b and b requires a. */
  circles: string[][];
}

/**
 * Orders plugins so that each comes after those it requires, and otherwise as listed. `requires` names others of the
 * list; members of a circle come in some order.
 */
export function startOrder(plugins: readonly { name: string; requires: readonly string[] }[]): StartOrder {
  const requirements = new Map(plugins.map(({ name, requires }) => [name, requires]));
  const path: string[] = [];
  const order = new Set<string>();
  const circles: string[][] = [];
  const visit = (name: string) => {
    if (order.has(name)) return;
    if (path.includes(name)) {
      circles.push(path.slice(path.indexOf(name)));
      return;
    }
    path.push(name);
    for (const required of requirements.get(name) ?? []) visit(required);
    path.pop();
    order.add(name);
  };
  for (const { name } of plugins) visit(name);
  return { order: [...order], circles };
}
