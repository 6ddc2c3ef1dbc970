/** One line of the host's log: `level`, `msg`, `time`, and the facts that go with it. */
export interface LogLine {
  level: "debug" | "info" | "warn" | "error";
  msg: string;
  time: string;
  [fact: string]: unknown;
}

export class HostLog {
  readonly lines: LogLine[] = [];

  take(line: string): void {
    // What a program prints past the log is no JSON.
    const parsed = line.startsWith("{") ? (JSON.parse(line) as LogLine) : { level: "info", msg: line, time: "" };
    this.lines.push(parsed as LogLine);
  }

  text(): string {
    return this.lines.map(({ level, msg, time: _, ...facts }) => `${level} ${msg} ${JSON.stringify(facts)}`).join("\n");
  }
}
