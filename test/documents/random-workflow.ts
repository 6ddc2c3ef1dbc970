// Random workflows that are sound: every form of step, inside one another, with what accompanies them.

import type { Json, JsonObject } from "../../host/sdk.ts";
import { type Draw, pick } from "./draw.ts";
import {
  nothing,
  type Sight,
  seeing,
  shadowing,
  textValue,
  type Wanted,
  wholeExpression,
} from "./random-expression.ts";

const maxDepth = 3;
const maxSteps = 25;

/** Draws one; what steps it calls are those of `catalogueAround`. */
export function drawWorkflow(draw: Draw): JsonObject {
  return new Drawing(draw).workflow();
}

interface Place {
  sight: Sight;
  depth: number;
  /** Nothing is undone in `onFailure` and `finally`. */
  cleaning: boolean;
}

const configured = seeing(nothing, {
  text: ["config.script.stopTimeout"],
  number: ["config.script.maxOutputBytes"],
  any: ["config", "config.mqtt"],
});
const host = seeing(configured, { text: ["device.deviceId", "device.tenantId", "device['policyId']"] });
const given = seeing(host, {
  text: ["inputs.text", "inputs.object.name", "inputs['texts'][0]", "event.topic"],
  number: ["inputs.number", "inputs.numbers[0]"],
  truth: ["inputs.flag"],
  list: ["inputs.texts", "inputs.numbers"],
  any: ["inputs", "inputs.object", "event"],
});
const running = seeing(given, {
  text: ["run.id", "run.directory", "run.startedAt", "run.workflow"],
  any: ["run.retryOf"],
});

const inputs = {
  type: "object",
  required: ["text"],
  additionalProperties: false,
  properties: {
    text: { type: "string", default: "a" },
    number: { type: "integer", default: 1 },
    flag: { type: "boolean", default: true },
    texts: { type: "array", items: { type: "string" }, default: ["a", "b"] },
    numbers: { type: "array", items: { type: "number" }, default: [1, 2] },
    object: { type: "object", additionalProperties: false, properties: { name: { type: "string" } } },
  },
};

class Drawing {
  readonly #draw: Draw;
  #steps = 0;

  constructor(draw: Draw) {
    this.#draw = draw;
  }

  workflow(): JsonObject {
    const sight = seeing(running, { text: ["vars.greeting"], number: ["vars.count"], any: ["vars"] });
    const { steps, ...rest } = this.#body({ sight, depth: 0, cleaning: false }, "steps");
    return this.#some(
      { name: this.#pick("all", "A-b_c", "constructor") },
      {
        $schema: () => "../schemas/workflow.schema.json",
        description: () => 'Made at random: ünï\u2028 "quoted" \\ /',
        enabled: () => this.#orExpression("truth", configured, true, false),
      },
      { on: this.#list(1, 2, () => this.#trigger()), inputs, vars: this.#vars() },
      {
        concurrency: () =>
          this.#some({ group: this.#text(given) }, { whenBusy: () => this.#pick("queue", "reject", "supersede") }),
        requires: () =>
          this.#some(
            {},
            {
              host: () => ">=0.1",
              plugins: () => ({ mqtt: "*", script: "^0.1.0" }),
              device: () => ({ tenantId: "demo" }),
              freeDiskBytes: () => this.#orExpression("number", given, 1000),
            },
          ),
        window: () => {
          const time = () => this.#orExpression("text", sight, "22:00", "00:00");
          return { from: time(), to: time() };
        },
        limits: () => this.#some({}, { bytesPerSecond: () => this.#orExpression("number", sight, 1, 5000) }),
      },
      { steps: steps! },
      Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, () => value])),
    );
  }

  #trigger(): JsonObject {
    const filter = this.#orExpression("text", host, "site/+/order", "#");
    // One kind only, so that `event` has a shape.
    return { trigger: "mqtt/message", with: this.#some({ topic: filter }, { qos: () => this.#pick(0, 1) }) };
  }

  #vars(): JsonObject {
    return {
      greeting: this.#orExpression("text", running, "good day"),
      count: this.#orExpression("number", running, 3),
      free: this.#value(running),
    };
  }

  /** A list of steps with what may accompany it, all of which sees its ids. */
  #body(place: Place, form: "steps" | "parallel"): JsonObject {
    const lists = this.#list(1, form === "steps" ? 1 : 3, () => this.#listOfSteps(place));
    const sight = lists.reduce<Sight>((seen, list) => seeing(seen, list.gives), place.sight);
    const inside = { ...place, sight, depth: place.depth + 1, cleaning: true };
    const failed = seeing(sight, {
      text: ["error.code", "error.message", "error.step", "error.remedy"],
      truth: ["error.retryable"],
      any: ["error.details.reason", "error"],
    });
    const steps = lists.map(({ list }) => list);
    return this.#some(form === "steps" ? { steps: steps[0]! } : { parallel: steps }, {
      outputs: () =>
        this.#chance(2) ? { given: this.#value(sight), whole: this.#whole("any", sight) } : this.#whole("any", sight),
      abortOn: () => this.#text(place.sight),
      onFailure: () => this.#listOfSteps({ ...inside, sight: failed }).list,
      finally: () => this.#listOfSteps(inside).list,
    });
  }

  /** Steps one after the other: each sees those before it. */
  #listOfSteps(place: Place): { list: JsonObject[]; gives: Partial<Sight> } {
    const list: JsonObject[] = [];
    let gives: Sight = nothing;
    const count = this.#steps > maxSteps ? 0 : this.#between(place.depth > 0 ? 0 : 2, 4);
    for (let index = 0; index < count; index++) {
      const { step, reads } = this.#step({ ...place, sight: seeing(place.sight, gives) });
      list.push(step);
      gives = seeing(gives, reads);
    }
    return { list, gives };
  }

  #step(place: Place): { step: JsonObject; reads: Partial<Sight> } {
    this.#steps += 1;
    const id = this.#chance(3) ? undefined : this.#pick(`s${this.#steps}`, `S-${this.#steps}_x`);
    const isLeaf = place.depth >= maxDepth || this.#chance(2);
    const { form, outputs = {} } = isLeaf ? this.#leaf(place, id) : this.#block(place);
    const step = this.#some(
      { ...(id === undefined ? {} : { id }) },
      {
        name: () => "Does something",
        if: () => this.#orExpression("truth", place.sight, true, false),
        continueOnError: () => this.#pick(true, false),
      },
      form,
    );
    if (id === undefined) return { step, reads: {} };
    const under = (paths: readonly string[] = []) => paths.map((path) => `steps.${id}.${path}`);
    return {
      step,
      reads: {
        text: under([...(outputs.text ?? []), "status"]),
        number: under(outputs.number),
        truth: under(outputs.truth),
        list: under(outputs.list),
        any: under([...(outputs.any ?? []), "outputs"]),
      },
    };
  }

  #block(place: Place): { form: JsonObject; outputs?: Partial<Sight> } {
    const inner = { ...place, depth: place.depth + 1 };
    const form = this.#pick("steps", "parallel", "forEach");
    if (form !== "forEach") return { form: this.#body(inner, form) };
    const name = this.#pick("item", "each-one", `x${this.#steps}`);
    const forEach = this.#pick<Json>(
      ["a", "b"],
      [this.#value(place.sight)],
      this.#whole("list", place.sight),
      "${{ inputs.texts }}",
    );
    const isText = forEach === "${{ inputs.texts }}";
    // A loop in a loop may give its items the same name.
    const outer = shadowing(place.sight, name);
    const sight = seeing(outer, { number: ["index"], any: [name], ...(isText ? { text: [name] } : {}) });
    const most = () => this.#orExpression("number", place.sight, 1, 3);
    return {
      form: this.#some({ forEach, as: name }, { maxParallel: most }, this.#body({ ...inner, sight }, "steps")),
      outputs: { list: ["outputs.items"] },
    };
  }

  /** A step that calls something. */
  #leaf(place: Place, id: string | undefined): { form: JsonObject; outputs?: Partial<Sight> } {
    const { sight } = place;
    const uses = this.#pick("script", "publish", "signal", "fail", "sub", "listen", "wait");
    if (uses === "wait") {
      const input = this.#pick<Json>(
        { duration: this.#orExpression("text", sight, "1h30m") },
        { until: { from: "22:00", to: "04:00" } },
        { for: this.#text(sight) },
      );
      return {
        form: this.#some({ uses: "host/wait", with: input }, { timeout: () => this.#duration(sight) }),
        outputs: { any: ["outputs.value"] },
      };
    }
    const { call, outputs } = this.#call(uses, sight);
    if (call.uses === "workflow:sub-greet" || call.uses === "workflow:sub-listen")
      return { form: this.#some(call, this.#undo(place, id, outputs)), outputs };
    const policy = this.#policy(sight);
    const reported = seeing(sight, {
      number: ["progress.percent"],
      text: ["progress.message"],
      any: ["progress.details.bytes", "progress"],
    });
    const onProgress = () => this.#sideStep(reported);
    return { form: this.#some(call, { ...policy, ...this.#undo(place, id, outputs), onProgress }), outputs };
  }

  #undo({ cleaning, sight }: Place, id: string | undefined, outputs: Partial<Sight>): Record<string, () => Json> {
    if (cleaning) return {};
    const own = id === undefined ? [] : (outputs.any ?? []).map((path) => `steps.${id}.${path}`);
    const sees = seeing(sight, { text: ["error.code", "error.message"], any: ["error.details", ...own] });
    return { undo: () => this.#sideStep(sees) };
  }

  #sideStep(sight: Sight): JsonObject {
    const { call } = this.#call(this.#pick("script", "publish", "signal"), sight);
    return this.#some(call, this.#policy(sight));
  }

  #policy(sight: Sight): Record<string, () => Json> {
    const retry = () =>
      this.#some(
        { retries: this.#orExpression("number", sight, 0, 5) },
        {
          delay: () => this.#duration(sight),
          backoff: () => this.#orExpression("number", sight, 1, 2.5),
          maxDelay: () => this.#duration(sight),
        },
      );
    return { retry, timeout: () => this.#duration(sight) };
  }

  #call(what: string, sight: Sight): { call: JsonObject; outputs: Partial<Sight> } {
    switch (what) {
      case "script":
        return {
          call: {
            uses: "script/run",
            with: this.#some(
              { command: ["echo", this.#text(sight)], directory: this.#whole("text", sight) },
              { environment: () => ({ A: this.#text(sight) }) },
            ),
          },
          outputs: {
            text: ["outputs.output"],
            number: ["outputs.exitCode"],
            any: ["outputs.exitCode", "outputs.status"],
          },
        };
      case "publish":
        return {
          call: {
            uses: "mqtt/publish",
            with: this.#some(
              { topic: "a/b", payload: this.#value(sight) },
              { retain: () => this.#orExpression("truth", sight, true) },
            ),
          },
          outputs: {},
        };
      case "signal":
        return {
          call: { uses: "host/signal", with: { name: this.#text(sight), value: this.#value(sight) } },
          outputs: { truth: ["outputs.received"], any: ["outputs.received"] },
        };
      case "fail":
        return {
          call: { uses: "host/fail", with: { code: "NOT_TODAY", message: `no: ${this.#text(sight)}` } },
          outputs: {},
        };
      case "sub":
        return {
          call: { uses: "workflow:sub-greet", with: { who: this.#whole("text", sight), count: this.#pick(1, 2) } },
          outputs: { truth: ["outputs.often"], any: ["outputs.greeted"] },
        };
      default:
        return { call: { uses: "workflow:sub-listen", with: { anything: this.#value(sight) } }, outputs: {} };
    }
  }

  #value(sight: Sight): Json {
    return this.#pick<() => Json>(
      () => this.#whole("any", sight),
      () => this.#text(sight),
      () => [1, null, this.#whole("number", sight)],
      () => ({ ["__proto__"]: true, "a/b~c": this.#whole("any", sight), "": {} }),
      () => -0.5,
    )();
  }

  #duration(sight: Sight): Json {
    return this.#orExpression("text", sight, "300ms", "5s", "1h30m", "1.5d");
  }

  #orExpression(wanted: Wanted, sight: Sight, ...literals: Json[]): Json {
    return this.#chance(2) ? this.#whole(wanted, sight) : this.#pick<Json>(...literals);
  }

  #whole(wanted: Wanted, sight: Sight): string {
    return wholeExpression(this.#draw, wanted, sight);
  }

  #text(sight: Sight): string {
    return textValue(this.#draw, sight);
  }

  /** Those that must be there, and each other one or not. */
  #some(...parts: (Record<string, Json> | Record<string, () => Json>)[]): JsonObject {
    const made: JsonObject = {};
    for (const part of parts)
      for (const [key, value] of Object.entries(part)) {
        if (typeof value !== "function") made[key] = value;
        else if (this.#chance(3)) made[key] = value();
      }
    return made;
  }

  #list<Value>(min: number, max: number, make: () => Value): Value[] {
    return Array.from({ length: this.#between(min, max) }, make);
  }

  #pick<Value>(...choices: readonly Value[]): Value {
    return pick(this.#draw, ...choices);
  }

  #chance(one: number): boolean {
    return this.#draw(one) === 0;
  }

  #between(min: number, max: number): number {
    return min + this.#draw(max - min + 1);
  }
}
