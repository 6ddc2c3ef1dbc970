// What stands before a program until the journal knows of it. A shell waits at descriptor 3 for the word, then becomes
// the program: same process, same number. Whatever else comes, also the end of a host that died, ends it before the
// program began. Exit codes 126 and 127 are the shell's own for a program it cannot execute or find.

export const gateName = "gate";

/** Of the gate itself, when a limit cannot be set. */
export const limitRefusedExitCode = 124;

export interface GateOptions {
  /** Of the address space of each process. */
  memoryBytes: number | undefined;
  /** Whether descriptor 4 becomes the program's descriptor 3. */
  hasStatus: boolean;
}

/** Arguments for /bin/sh; those of the program follow. */
export function gateArguments({ memoryBytes, hasStatus }: GateOptions): string[] {
  const steps = [
    'read -r word <&3 && [ "$word" = go ] || exit 125',
    hasStatus ? "exec 3>&4 4>&-" : "exec 3<&-",
    ...(memoryBytes === undefined ? [] : [limitMemory(memoryBytes)]),
    'exec "$@"',
  ];
  return ["-c", steps.join("; "), gateName];
}

// `ulimit` is part of the shell: nothing has to be installed for it.
function limitMemory(bytes: number): string {
  const refused = `{ echo '${gateName}: the limit of memory cannot be set' >&2; exit ${limitRefusedExitCode}; }`;
  return `ulimit -v ${Math.floor(bytes / 1024)} 2>/dev/null || ${refused}`;
}

/** Whether what a program said is only the gate's own complaint about it. */
export function isOfGate(output: string): boolean {
  return output.split("\n").every((line) => line.startsWith(`${gateName}: `));
}
