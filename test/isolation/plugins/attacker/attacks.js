import { closeSync, readSync, writeSync } from "node:fs";
import net, { Socket } from "node:net";
import { join } from "node:path";
import v8 from "node:v8";

/** Writes to the host past Gantry's own code, and waits for nobody. */
function write(text, descriptor = 3) {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(descriptor, bytes, done);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

/** The line that Gantry's own code sends for this. */
async function lineOf(act) {
  const { write: original } = Socket.prototype;
  const lines = [];
  Socket.prototype.write = function (chunk, ...rest) {
    lines.push(String(chunk));
    return original.call(this, chunk, ...rest);
  };
  await act();
  Socket.prototype.write = original;
  return lines[0];
}

const flood = (line) => {
  const many = line.repeat(1000);
  for (;;) write(many);
};

const kept = [];

export const attacks = {
  exit: () => process.exit(3),
  abort: () => process.abort(),
  throwLater: () =>
    void setTimeout(() => {
      throw new Error("thrown by a timer");
    }),
  rejectUnheard: () => void Promise.reject(new Error("nobody hears it")),
  spin: () => {
    for (;;);
  },
  wait: () => {},
  objects: () => {
    for (;;) kept.push({ some: "object", and: [kept.length] });
  },
  buffers: async () => {
    for (;;) {
      kept.push(Buffer.alloc(4 << 20, 1));
      await new Promise(setImmediate);
    }
  },
  print: () => {
    for (;;) write(`${"noise ".repeat(1000)}\n`, 1);
  },
  printError: () => {
    for (;;) write("x".repeat(65_536), 2);
  },
  logInALoop: ({ log }) => {
    for (;;) log.info("again");
  },
  logPast: async ({ log }) => flood(await lineOf(() => log.info("again", { text: "x".repeat(100) }))),
  progressPast: async ({ progress }) => flood(await lineOf(() => progress({ percent: 1 }))),
  callPast: async ({ secret }) => {
    const line = await lineOf(() => secret("x").catch(() => {}));
    for (let number = 1_000_000; ; number++) write(line.replace(/"call":\d+/, `"call":${number}`));
  },
  databasesPast: async ({ database }) => {
    let first;
    const line = await lineOf(() => {
      first = database("own").get("SELECT 1");
    });
    await first;
    const answers = Buffer.alloc(65_536);
    for (let number = 1_000_000; ; number += 100) {
      for (let call = 0; call < 100; call++) write(line.replace(/"call":\d+/, `"call":${number + call}`));
      // So that there are never too many calls at once.
      for (let answered = 0; answered < 100; ) {
        try {
          answered += answers.subarray(0, readSync(3, answers)).filter((byte) => byte === 10).length;
        } catch (error) {
          if (error.code !== "EAGAIN") throw error;
        }
      }
    }
  },
  functionInResult: () => {
    const { write: original } = Socket.prototype;
    Socket.prototype.write = function (chunk, ...rest) {
      const line = String(chunk);
      const lends = line.replace(/"value":.*/, '"value":{"x":null},"extras":[[["x"],"function",1]]}');
      return original.call(this, line.startsWith('{"done":') ? lends : chunk, ...rest);
    };
  },
  callsInALoop: ({ secret }) => {
    for (;;) secret("x").catch(() => {});
  },
  text: () => write("this is no JSON\n"),
  bytes: () => write(Buffer.concat([Buffer.from([0, 255, 254, 128]), Buffer.from("\n")])),
  handle: () => write('{"cmd":"NODE_HANDLE","type":"net.Socket"}\n'),
  list: () => write("[]\n"),
  answers: () => write('{"done":987654,"value":{}}\n'.repeat(100)),
  failures: () => write('{"failed":987654,"error":{"message":"no"}}\n'),
  unknownFunction: () => write('{"call":1,"fn":987654,"args":[]}\n'),
  noArguments: async ({ secret }) => {
    const line = await lineOf(() => secret("x").catch(() => {}));
    write(line.replace(/"args":.*/, '"args":{"length":1e9}}\n').replace(/"call":\d+/, '"call":5000000'));
  },
  pollutingPath: async ({ secret }) => {
    const line = await lineOf(() => secret("x").catch(() => {}));
    const extras = '"extras":[[["__proto__","polluted"],"buffer","eA=="]]';
    write(line.replace("}\n", `,${extras}}\n`).replace(/"call":\d+/, '"call":5000001'));
  },
  longLine: () => {
    // A GiB.
    for (let megabyte = 0; megabyte < 1024; megabyte++) write("x".repeat(1 << 20));
    write("\n");
  },
  brackets: () => write(`${"[".repeat(200_000)}\n`),
  deepAnswer: () => write(`{"abort":1,"reason":${'{"details":'.repeat(50_000)}1${"}".repeat(50_000)}}\n`),
  everyDescriptor: () => {
    // Its own pipes last: after those it is ended.
    for (let descriptor = 255; descriptor >= 0; descriptor--) {
      try {
        writeSync(descriptor, "garbage\n");
      } catch {
        // It has none of this number, or it is none to write to.
      }
    }
  },
  steal: () => {
    // Takes what the host sends, so that nobody answers.
    const buffer = Buffer.alloc(65_536);
    for (;;) {
      try {
        readSync(3, buffer);
      } catch {
        // Nothing there yet.
      }
    }
  },
  // V8 writes files without asking Node, with names of the plugin's code in them.
  flags: (_, { directory }) => {
    v8.setFlagsFromString(`--redirect-code-traces-to=${join(directory, "..", "..", "written-by-v8")}`);
    v8.setFlagsFromString("--redirect-code-traces");
    v8.setFlagsFromString("--print-bytecode");
    new Function("value", "return value + 1")(1);
  },
  // Refused by an error that nothing catches.
  listen: () => void net.createServer().listen(0, "127.0.0.1"),
  close: () => closeSync(3),
  ignoreSignals: () => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => {});
    return new Promise(() => {});
  },
};
