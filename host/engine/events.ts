import type { Failure } from "../errors.ts";
import type { Progress } from "../sdk.ts";
import type { RunStatus } from "../store/store.ts";

/** What a person or program watching the engine is told; never part of what a run depends on. */
export interface EngineEvents {
  run: [{ id: string; workflow: string; status: RunStatus; error?: Failure }];
  step: [
    {
      run: string;
      path: string;
      id?: string;
      uses: string;
      attempt: number;
      status: "running" | "waiting" | "retrying" | "succeeded" | "unchanged" | "failed" | "suspended";
      /** With `retrying` and `failed`. */
      error?: Failure;
      /** With `waiting`: until when, or for which signal; and when that is given up (epoch milliseconds). */
      waiting?: { until?: number; signal?: string; deadline?: number };
    },
  ];
  progress: [{ run: string; path: string; id?: string; uses: string; progress: Progress }];
}
