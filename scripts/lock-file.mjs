// A lock between processes on one folder, for Node 18 and newer with nothing installed. Whoever holds it touches the file
// every second: so a lock left behind by a killed process is seen as such, also from another container or after a
// restart, where the number of a process means nothing.

import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const touchEveryMs = 1000;
const staleAfterMs = 10_000;

/** Waits until no other process holds the lock, and holds it while `act` works. */
export async function withLock(file, act) {
  const token = `${process.pid} ${Date.now()} ${Math.random()}`;
  while (!take(file, token)) {
    removeStale(file);
    await sleep(200);
  }
  const isMine = () => read(file) === token;
  const touching = setInterval(() => isMine() && utimesSync(file, new Date(), new Date()), touchEveryMs);
  const release = () => isMine() && rmSync(file, { force: true });
  // Also when something below ends the process.
  process.on("exit", release);
  try {
    return await act();
  } finally {
    clearInterval(touching);
    process.off("exit", release);
    release();
  }
}

function take(file, token) {
  try {
    writeFileSync(file, token, { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function removeStale(file) {
  try {
    if (Date.now() - statSync(file).mtimeMs > staleAfterMs) rmSync(file, { force: true });
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
