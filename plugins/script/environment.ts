const always = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/** What a program sees: a few names of the host's own environment, those of the configuration, and those of the step. */
export function environmentFor(allowed: string[], given: Record<string, string>): Record<string, string> {
  const inherited = [...always, ...allowed].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(inherited), ...given };
}
