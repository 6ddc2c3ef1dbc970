// Workflows worth killing. Each step that acts writes a line of its own into a file outside the host, so that what it did
// is counted there and not believed.

import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";

export interface Scenario {
  name: string;
  /** The first one is started by the start of the host; the others are called by it. */
  documents(act: Act): Workflow[];
  status: "succeeded" | "failed" | "superseded";
  /** The workflow that is asked for once the run waits; its run takes the place of the first one. */
  newer?: string;
  /** The environment of the host's first life, and of all later ones. */
  environment?: (life: number) => NodeJS.ProcessEnv;
  /** The run does not end in the host's first life by itself: it is killed once it waits. */
  endsInSecondLife?: boolean;
}

/** A step that writes its name, takes a while, and ends with an exit code. */
export type Act = (name: string, more?: Partial<WorkflowStep> & { code?: number; script?: string }) => WorkflowStep;

const block = (steps: WorkflowStep[], more: Partial<WorkflowStep> = {}): WorkflowStep => ({ steps, ...more });
const call = (name: string, more: Partial<WorkflowStep> = {}): WorkflowStep => ({ uses: `workflow:${name}`, ...more });
const said = (name: string): WorkflowStep => ({ uses: "host/signal", with: { name } });
const wait = (input: object): WorkflowStep => ({ uses: "host/wait", with: input as Record<string, unknown> });
const reboot: WorkflowStep = { uses: "host/reboot", with: {} };
const main = (steps: WorkflowStep[], more: Partial<Workflow> = {}): Workflow => ({
  name: "main",
  on: [{ trigger: "host/startup" }],
  concurrency: { group: "matrix", whenBusy: "reject" },
  steps,
  ...more,
});
const sub = (name: string, steps: WorkflowStep[], more: Partial<Workflow> = {}): Workflow => ({ name, steps, ...more });

export const scenarios: Scenario[] = [
  {
    name: "loops in loops, blocks, outputs",
    status: "succeeded",
    documents: (act) => [
      main(
        [
          {
            id: "outer",
            forEach: ["a", "b"],
            as: "x",
            steps: [
              { forEach: [1, 2], as: "n", steps: [act("${{ x }}${{ n }}")] },
              block([act("block ${{ x }}")], {
                id: "b",
                outputs: { x: "${{ x }}" },
                finally: [act("finally ${{ x }}")],
              }),
            ],
            outputs: { got: "${{ steps.b.outputs.x }}" },
          },
          act("never", { if: "${{ false }}" }),
        ],
        { outputs: "${{ steps.outer.outputs.items }}" },
      ),
    ],
  },
  {
    name: "lists at the same time",
    status: "succeeded",
    documents: (act) => [
      main([
        {
          parallel: [
            [act("left 1"), act("left 2")],
            [act("right 1"), block([act("right 2")])],
            [{ forEach: [1, 2, 3, 4], as: "n", maxParallel: 2, steps: [act("item ${{ n }}")] }],
          ],
        },
        act("after"),
      ]),
    ],
  },
  {
    name: "a failure beside others",
    status: "failed",
    documents: (act) => [
      main(
        [
          act("before", { undo: act("undo before") as never }),
          {
            parallel: [
              [act("left", { undo: act("undo left") as never }), said("left is done"), wait({ duration: "1h" })],
              // However slow the machine is, the other list has something to be undone by then.
              [act("right"), wait({ for: "left is done" }), act("breaks", { code: 3 })],
            ],
            onFailure: [act("handled")],
          },
        ],
        { finally: [act("finally")] },
      ),
    ],
  },
  {
    name: "back-off between attempts",
    status: "succeeded",
    documents: (act) => [
      main([
        act("third time", {
          script: 'n=$(cat tries 2>/dev/null || echo 0); echo $((n + 1)) > tries; [ "$n" -ge 2 ]',
          retry: { retries: 20, delay: "60ms", backoff: 1 },
        }),
        act("after"),
      ]),
    ],
  },
  {
    name: "undoing, last begun first",
    status: "failed",
    documents: (act) => [
      main(
        [
          act("one", { id: "one", undo: act("undo one ${{ error.step }}") as never }),
          {
            forEach: [1, 2],
            as: "n",
            steps: [act("two ${{ n }}", { undo: act("undo two ${{ n }}") as never }), act("plain ${{ n }}")],
          },
          block([act("three", { undo: act("undo three", { code: 4 }) as never })]),
          act("four", { id: "four", code: 3, undo: act("undo four") as never }),
        ],
        {
          onFailure: [act("handled ${{ error.step }}"), act("handled too")],
          finally: [act("finally 1"), act("finally 2")],
        },
      ),
    ],
  },
  {
    name: "a failed item among others, undone alone",
    status: "succeeded",
    documents: (act) => [
      main([
        {
          forEach: [0, 3, 0],
          as: "code",
          continueOnError: true,
          steps: [
            act("change ${{ index }}", { undo: act("undo ${{ index }}") as never }),
            act("check ${{ index }}", { script: "exit ${{ code }}" }),
          ],
          onFailure: [act("handled ${{ index }}")],
          finally: [act("finally ${{ index }}")],
        },
        act("after"),
      ]),
    ],
  },
  {
    name: "workflows that call workflows, undone from outside",
    status: "failed",
    documents: (act) => [
      main([call("middle", { id: "m" }), act("breaks", { code: 3 })], { finally: [act("finally")] }),
      sub("middle", [act("middle 1", { undo: act("undo middle 1") as never }), call("inner"), act("middle 2")]),
      sub("inner", [act("inner", { undo: act("undo inner") as never })], { finally: [act("inner finally")] }),
    ],
  },
  {
    name: "waits and signals",
    status: "succeeded",
    documents: (act) => [
      main([
        wait({ duration: "80ms" }),
        {
          parallel: [
            [{ id: "w", ...wait({ for: "go" }), timeout: "5m" }, act("heard ${{ steps.w.outputs.value }}")],
            [act("speaks"), { uses: "host/signal", with: { name: "go", value: "it" } }, act("has spoken")],
          ],
        },
        { uses: "host/signal", with: { name: "early" } },
        { ...wait({ for: "early" }), timeout: "5m" },
        act("after"),
      ]),
    ],
  },
  {
    name: "a block that a signal aborts",
    status: "succeeded",
    documents: (act) => [
      main([
        {
          parallel: [
            [
              block([act("begun", { undo: act("undo begun") as never }), said("ready"), wait({ duration: "1h" })], {
                abortOn: "stop",
                continueOnError: true,
                onFailure: [act("handled ${{ error.code }}")],
                finally: [act("finally")],
              }),
              act("goes on"),
            ],
            // While this acts, the block has come to its wait.
            [{ ...wait({ for: "ready" }), timeout: "5m" }, act("first"), said("stop")],
          ],
        },
      ]),
    ],
  },
  {
    name: "a reboot as the first step",
    status: "succeeded",
    documents: (act) => [main([reboot, act("after")])],
  },
  {
    name: "reboots in the middle and at the end",
    status: "succeeded",
    documents: (act) => [main([act("before"), reboot, act("between"), reboot])],
  },
  {
    name: "a reboot as the last step of a workflow in a workflow",
    status: "succeeded",
    documents: (act) => [
      main([act("before"), call("middle")]),
      sub("middle", [act("middle"), call("inner")]),
      sub("inner", [act("inner"), reboot]),
    ],
  },
  {
    name: "a script that must be alone",
    status: "succeeded",
    // One that an earlier host left behind would still hold the lock.
    documents: (act) => [
      main([act("alone", { script: "exec 9>lock; flock -n 9 || exit 9; sleep 0.2" }), act("after")], {
        finally: [act("alone in the end", { script: "exec 9>lock; flock -n 9 || exit 9; sleep 0.2" })],
      }),
    ],
  },
  {
    name: "workflows in lists in loops, with everything",
    status: "failed",
    documents: (act) => [
      main(
        [
          {
            forEach: ["a", "b"],
            as: "x",
            maxParallel: 2,
            steps: [
              {
                parallel: [
                  [call("inner", { with: { name: "${{ x }}" } })],
                  [
                    act("beside ${{ x }}", {
                      undo: act("undo beside ${{ x }}") as never,
                      script: "[ -e again-${{ x }} ] || { touch again-${{ x }}; exit 5; }",
                      retry: { retries: 20, delay: "20ms", backoff: 1 },
                    }),
                  ],
                ],
              },
            ],
            finally: [act("item ${{ x }}")],
          },
          wait({ duration: "40ms" }),
          act("breaks", { code: 3 }),
        ],
        { onFailure: [call("inner", { with: { name: "mend" } })], finally: [act("finally")] },
      ),
      sub(
        "inner",
        [
          act("inner ${{ inputs.name }}", { undo: act("undo inner ${{ inputs.name }}") as never }),
          block([act("deep ${{ inputs.name }}")], { finally: [act("block ${{ inputs.name }}")] }),
        ],
        { inputs: { type: "object", properties: { name: { type: "string" } } } },
      ),
    ],
  },
  {
    name: "a run whose place a newer one takes",
    status: "superseded",
    newer: "newer",
    documents: (act) => [
      main(
        [
          act("one", { undo: act("undo one ${{ error.code }}") as never }),
          block([act("two", { undo: act("undo two") as never }), wait({ duration: "1h" })], {
            onFailure: [act("handled ${{ error.code }}")],
            finally: [act("finally of the block")],
          }),
          act("never"),
        ],
        { onFailure: [act("handled at last")], finally: [act("finally")] },
      ),
      sub("newer", [act("newer 1"), act("newer 2")], { concurrency: { group: "matrix", whenBusy: "supersede" } }),
    ],
  },
  {
    name: "a time window that is closed at first",
    status: "succeeded",
    endsInSecondLife: true,
    // Noon to one, in a zone where it is just then, after one where it is six hours later.
    environment: (life) => ({ TZ: zoneAtNoon(life === 0 ? 6 : 0) }),
    documents: (act) => [
      main([block([act("one"), act("two")])], { window: { from: "12:00", to: "13:00" }, finally: [act("finally")] }),
    ],
  },
];

/** The zone in which it is between noon and one, or so many hours later. (Etc/GMT-3 lies east of Greenwich.) */
function zoneAtNoon(later: number): string {
  const hours = (12 + later - new Date().getUTCHours() + 48) % 24;
  const east = hours > 14 ? hours - 24 : hours;
  return `Etc/GMT${east > 0 ? "-" : "+"}${Math.abs(east)}`;
}
