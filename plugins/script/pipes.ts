// Real pipes for what programs say. What Node makes for a child is a pair of sockets, and `echo ... > /dev/stderr`, as
// scripts have it, cannot open a socket. Node has no call that makes a pipe, so one is opened by a name in the file
// system; that name is used again when nobody holds the pipe any more, as `mkfifo` costs as much as a small program.

import { execFile } from "node:child_process";
import { chownSync, closeSync, constants, openSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Account } from "./account.ts";

const maxFree = 8;

export interface Pipe {
  /** For the program. */
  readonly writeDescriptor: number;
  /** Ends when the last process that holds the other end is gone. */
  readonly output: Socket;
  /** To be called once the program has its end. */
  closeWriteEnd(): void;
  /** No more is read. */
  close(): Promise<void>;
}

export class Pipes {
  readonly #directory: string;
  readonly #free: string[] = [];
  #made: Promise<void> | undefined;
  #count = 0;

  /** The folder is the pipes' own; what an earlier host has left there is removed. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** A program of another account gets a pipe of its own, which it may open by name as well. */
  async open(account: Account | undefined): Promise<Pipe> {
    const path = (account === undefined ? this.#free.pop() : undefined) ?? (await this.#make());
    const pipe = openBothEnds(path, account);
    let isEnded = false;
    let isHeld = true;
    const closeWriteEnd = () => {
      if (isHeld) closeSync(pipe.writeDescriptor);
      isHeld = false;
    };
    pipe.output.once("end", () => {
      isEnded = true;
    });
    // What a descendant in another group does with its end when this one is closed is its own affair.
    pipe.output.on("error", () => {});
    return {
      ...pipe,
      closeWriteEnd,
      close: async () => {
        closeWriteEnd();
        pipe.output.destroy();
        // A daemon may hold the other end, and would talk into the next program's output.
        if (isEnded && account === undefined && this.#free.length < maxFree) this.#free.push(path);
        else await rm(path, { force: true });
      },
    };
  }

  /** Removes what is free. */
  async stop(): Promise<void> {
    if (this.#made !== undefined) await rm(this.#directory, { recursive: true, force: true });
  }

  async #make(): Promise<string> {
    this.#made ??= makeEmpty(this.#directory);
    await this.#made;
    const path = join(this.#directory, String(this.#count++));
    await promisify(execFile)("mkfifo", ["-m", "600", path]);
    return path;
  }
}

async function makeEmpty(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
}

// In this order neither opening waits for the other end.
function openBothEnds(path: string, account: Account | undefined): Pick<Pipe, "writeDescriptor" | "output"> {
  const readDescriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (account !== undefined) chownSync(path, account.uid, account.gid);
    const writeDescriptor = openSync(path, constants.O_WRONLY);
    return { writeDescriptor, output: new Socket({ fd: readDescriptor, readable: true, writable: false }) };
  } catch (error) {
    closeSync(readDescriptor);
    throw error;
  }
}
