/**
 * Keeps a reader that leaves early (`gantry runs | head`) from ending the process, which may be in the middle of a run.
 * What is lost otherwise, as on a full disk behind `> file`, is said once and makes the exit code 1.
 */
export function watchOutput(): void {
  let failed = false;
  process.stderr.on("error", () => {});
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // The second code is that of later writes to what was closed.
    if (failed || error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED") return;
    failed = true;
    process.stderr.write(`gantry: standard output cannot be written: ${error.message}\n`);
    process.once("exit", () => {
      process.exitCode ||= 1;
    });
  });
}
