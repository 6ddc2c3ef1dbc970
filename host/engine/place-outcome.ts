// What has come of one place of a run's tree.

import { type Failure, GantryError, toFailure } from "../errors.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { EndStatus } from "./records.ts";
import type { NodeState } from "./state.ts";

export type Outcome =
  | { status: "pending" }
  | { status: "succeeded"; output: Json }
  | { status: "failed"; error: Failure }
  | { status: "skipped" };

export const pending: Outcome = { status: "pending" };

export function failed(error: Failure): Outcome & { status: "failed" } {
  return { status: "failed", error };
}

/** Undefined where the place has not ended. */
export function outcomeOf(state: NodeState | undefined): Outcome | undefined {
  if (state?.status === "succeeded") return { status: "succeeded", output: state.output! };
  if (state?.status === "failed") return { status: "failed", error: state.error! };
  if (state?.status === "skipped") return { status: "skipped" };
  return undefined;
}

/** What expressions see of it as `steps.<id>`. */
export function seen(result: Outcome): JsonObject {
  return { status: result.status, outputs: result.status === "succeeded" ? result.output : null };
}

/** Why a place ends that runs at the same time as one that failed. */
export function besideFailed({ code, message, step }: Failure): Failure {
  const error = new GantryError("ABORTED", `what runs beside it failed: ${message}`, {
    details: { beside: { code, ...(step === undefined ? {} : { step }) } },
  });
  return toFailure(error);
}

/** The status of a run that ends with this error. */
export function endStatusOf({ code }: Failure): EndStatus {
  if (code === "RUN_CANCELLED") return "cancelled";
  return code === "RUN_SUPERSEDED" ? "superseded" : "failed";
}
