// Where the control socket is, and how to name it to the kernel.

import { closeSync, constants, openSync } from "node:fs";
import { join, resolve } from "node:path";

const socketName = "control.sock";
/** Where a socket is made before it takes its place. */
const newFolder = "control.new";

/** The kernel takes at most so many bytes for the address of a socket (`sun_path` without its final zero). */
const maxAddressBytes = 107;

export interface SocketPaths extends Disposable {
  socket: string;
  newFolder: string;
  newSocket: string;
}

/**
 * Names below the data folder that are short enough for the kernel. A folder that lies deep is named by an open descriptor,
 * so use them before they are disposed. Throws where the folder cannot be opened.
 */
export function socketPaths(dataDirectory: string): SocketPaths {
  const directory = resolve(dataDirectory);
  const direct = below(directory, () => {});
  if (Buffer.byteLength(direct.newSocket) <= maxAddressBytes) return direct;
  const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  return below(`/proc/self/fd/${descriptor}`, () => closeSync(descriptor));
}

function below(directory: string, dispose: () => void): SocketPaths {
  return {
    socket: join(directory, socketName),
    newFolder: join(directory, newFolder),
    newSocket: join(directory, newFolder, socketName),
    [Symbol.dispose]: dispose,
  };
}
