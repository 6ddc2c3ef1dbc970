import type { Fault } from "../documents/fault.ts";
import type { EngineEvents } from "../engine/events.ts";
import type { Failure } from "../errors.ts";
import type { Json } from "../sdk.ts";

/** What `gantry dev` tells. */
export type DevEvent =
  /** The host serves. */
  | { event: "ready" }
  | { event: "watching"; folders: string[]; files: string[] }
  | { event: "changed"; files: string[] }
  /** A document has a fault, or a note. */
  | { event: "fault"; fault: Fault }
  /** A plugin does not work, or the files cannot be watched. */
  | ({ event: "failed"; plugin?: string } & Pick<Failure, "code" | "message" | "remedy" | "place">)
  /** A change is not taken, since there is something wrong with it. */
  | { event: "kept"; what: string }
  /** A plugin is about to be replaced: the steps under way in it may end. */
  | { event: "replacing"; plugin: string }
  /** `begunAgain`: how many steps had not ended in time, and begin again. */
  | { event: "replaced"; plugin: string; version: string; begunAgain: number }
  /** The host starts anew, since more has changed than can be replaced while it works. */
  | { event: "restarting" }
  | { event: "workflows"; active: string[] }
  /** A step is run alone, with the input it was given last. */
  | { event: "again"; uses: string; input: Json }
  | { event: "ended"; uses: string; status: "succeeded" | "unchanged"; output: Json }
  | { event: "ended"; uses: string; status: "failed"; error: Failure }
  /** What the runs do. */
  | ({ event: "step" } & EngineEvents["step"][0])
  | ({ event: "progress" } & EngineEvents["progress"][0]);
