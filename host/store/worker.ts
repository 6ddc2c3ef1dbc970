// The thread that writes, for all files. It takes everything that has arrived, commits it file by file, and answers.

import { dirname } from "node:path";
import { parentPort, receiveMessageOnPort } from "node:worker_threads";
import { NewerTables, type OpenFile, openFile } from "./open-file.ts";
import { reasonOf } from "./reason.ts";
import type { Order, Report, Write } from "./writes.ts";

const port = parentPort!;
const files = new Map<number, OpenFile>();

const report = (message: Report) => port.postMessage(message);

port.on("message", (first: Order) => {
  const arrived = new Map<number, Write[]>();
  const commit = (file: number) => {
    const writes = arrived.get(file);
    arrived.delete(file);
    if (writes !== undefined) report({ file, ...files.get(file)!.group.commit(writes) });
  };
  for (let order: Order | undefined = first; order !== undefined; order = receiveMessageOnPort(port)?.message) {
    const { file } = order;
    if ("writes" in order) {
      const writes = arrived.get(file);
      if (writes === undefined) arrived.set(file, order.writes);
      else writes.push(...order.writes);
    } else {
      commit(file);
      if ("open" in order) open(file, order.open);
      else close(file, order.copy);
    }
  }
  for (const file of [...arrived.keys()]) commit(file);
});

function open(file: number, order: Extract<Order, { open: unknown }>["open"]): void {
  try {
    const opened = openFile(order);
    files.set(file, opened);
    report({ file, ready: true, recovered: opened.recovered });
  } catch (error) {
    const cannotOpen = error instanceof NewerTables ? error.reason : reasonOf(error, dirname(order.path));
    report({ file, cannotOpen });
  }
}

function close(file: number, copy: boolean): void {
  let copied = false;
  try {
    copied = files.get(file)?.close(copy) ?? false;
  } catch {
    // The log is still there and will be read at the next start.
  }
  files.delete(file);
  report({ file, closed: true, copied });
}
