const always = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/**
 * What a program sees: a few names of the host's own environment, those of the configuration, what follows from its
 * account, and those of the step.
 */
export function environmentFor(
  allowed: string[],
  account: Record<string, string>,
  given: Record<string, string>,
): Record<string, string> {
  const inherited = [...always, ...allowed].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(inherited), ...account, ...given };
}
