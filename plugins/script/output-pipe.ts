// A real pipe for a program's output. What Node makes for a child is a pair of sockets, and `echo ... > /dev/stderr`, as
// scripts have it, cannot open a socket.

import { execFile } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface OutputPipe {
  /** For the program; to be closed once it has it. */
  writeDescriptor: number;
  /** Ends when the last process that holds the other end is gone. */
  output: Socket;
}

export async function openOutputPipe(): Promise<OutputPipe> {
  const folder = await mkdtemp(join(tmpdir(), "gantry-output-"));
  try {
    const path = join(folder, "pipe");
    await promisify(execFile)("mkfifo", ["-m", "600", path]);
    // In this order neither opening waits for the other end.
    const readDescriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const writeDescriptor = openSync(path, constants.O_WRONLY);
      return { writeDescriptor, output: new Socket({ fd: readDescriptor, readable: true, writable: false }) };
    } catch (error) {
      closeSync(readDescriptor);
      throw error;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
