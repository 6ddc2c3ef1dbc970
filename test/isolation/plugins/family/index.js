import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { definePlugin } from "gantry";

const deaf = 'trap "" TERM INT HUP; echo $$ > "$1"; while :; do sleep 1; done';

const pidIn = async (file) => {
  for (;;) {
    try {
      const pid = Number(readFileSync(file, "utf8"));
      if (pid > 0) return pid;
    } catch {
      // Not written yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

export default definePlugin({
  setup: ({ directory }) => ({
    steps: {
      raise: {
        async run() {
          const files = ["child", "session", "orphan"].map((name) => join(directory, `${name}-${process.pid}`));
          spawn("/bin/sh", ["-c", deaf, "sh", files[0]], { stdio: "inherit" });
          spawn("/bin/sh", ["-c", deaf, "sh", files[1]], { detached: true, stdio: "inherit" }).unref();
          // Its parent ends at once, so that nothing leads from it to the plugin any more.
          spawnSync("/bin/sh", ["-c", 'setsid /bin/sh -c "$1" sh "$2" &', "sh", deaf, files[2]], { stdio: "ignore" });
          return { own: process.pid, pids: await Promise.all(files.map(pidIn)) };
        },
      },
      claim: { run: async ({ pid }, { processStarted }) => processStarted(pid) },
      crash: { run: () => process.exit(1) },
      spin: {
        run({ seconds = 600 }) {
          for (const end = Date.now() + seconds * 1000; Date.now() < end; );
          return {};
        },
      },
    },
  }),
});
