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
      status: "running" | "retrying" | "succeeded" | "unchanged" | "failed" | "suspended";
      error?: Failure;
    },
  ];
  progress: [{ run: string; path: string; id?: string; uses: string; progress: Progress }];
}
