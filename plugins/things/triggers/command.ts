import { type Emit, type Json, type JsonObject, type Log, PluginError, type Trigger } from "gantry";
import { executionFailed, fill, parameterInvalid, type Reply, resultOf, rulesOf } from "../answers.ts";
import type { Commands } from "../commands.ts";
import { checkAddress } from "../feature-address.ts";
import type { Features } from "../features.ts";
import type { Handlers } from "../handlers.ts";
import type { CommandOptions } from "../plugin.types.ts";
import type { AnswerRules, Command } from "../service.ts";
import { shownValue } from "../shown-value.ts";

export interface CommandSurroundings {
  features: Features;
  handlers: Handlers;
  commands: Pick<Commands, "answer">;
}

/** Between attempts to hand over a command that the host cannot take now. */
const retryDelayMs = { first: 100, longest: 10_000 };

export function command({ features, handlers, commands }: CommandSurroundings): Trigger<CommandOptions> {
  return {
    async start(options, emit, { inputs, log }) {
      const { thing, feature, operation, answer, answerOutput, definition, properties, ...more } = options;
      const { unknownOperation, unknownFeature, ...rules } = more;
      const address = { ...(thing === undefined ? {} : { thing }), feature };
      checkAddress(address);
      const stopping = new AbortController();
      const taking = new Taking({
        emit,
        answer,
        answerOutput,
        rules: rules as AnswerRules,
        commands,
        log,
        stopping: stopping.signal,
        schema: inputs,
      });
      const end = await handlers.add({
        ...address,
        operations: [operation],
        schema: inputs,
        rules: rules as AnswerRules,
        unknownOperation,
        unknownFeature,
        handle: (arrived) => taking.take(arrived),
      });
      if (definition !== undefined || properties !== undefined)
        await features.register({
          ...address,
          ...(definition === undefined ? {} : { definition }),
          ...(properties === undefined ? {} : { properties: properties as JsonObject }),
        });
      return () => {
        stopping.abort();
        end();
      };
    },
    async answer(to, outcome, key) {
      const { reply, output } = to as unknown as Asked;
      await commands.answer(reply, resultOf(outcome, output), key);
    },
  };
}

/** What `answer` is given back: where the answer goes, and whether it has what the run returned. */
interface Asked {
  reply: Reply;
  output: boolean;
}

interface TakingOptions {
  emit: Emit;
  answer: CommandOptions["answer"];
  answerOutput: boolean;
  rules: AnswerRules;
  commands: Pick<Commands, "answer">;
  log: Log;
  stopping: AbortSignal;
  schema: JsonObject | undefined;
}

/** Makes runs of commands, and answers those that are to be answered at once. */
class Taking {
  readonly #options: TakingOptions;

  constructor(options: TakingOptions) {
    this.#options = options;
  }

  /** Resolves when the command is a durable run and its answer is on its way, or it never will be one. */
  async take(command: Command): Promise<void> {
    const { answer, commands } = this.#options;
    const reply = command.reply as unknown as Reply | null;
    const runId = await this.#accept(command, reply);
    if (runId === undefined || answer !== "when-accepted") return;
    await this.#insist(() => commands.answer(reply, { status: 204, value: null }, `${runId}/answer`));
  }

  /** Undefined where the command is refused. */
  async #accept(command: Command, reply: Reply | null): Promise<string | undefined> {
    const { emit, answer, answerOutput, commands, log } = this.#options;
    const { value, reply: _, delivery, ...event } = command;
    const when = answer === "when-finished" ? ("finished" as const) : answer;
    const emission = {
      input: value,
      event: event as unknown as JsonObject,
      ...(delivery === undefined ? {} : { delivery }),
      ...(reply === null || when === "when-accepted"
        ? {}
        : { answer: { when, to: { reply, output: answerOutput } as unknown as Json } }),
    };
    try {
      // A sender with QoS 0 is told at once; it bounds what waits in nobody's place.
      const { runId } = await (delivery === undefined ? emit(emission) : this.#insist(() => emit(emission)));
      return runId;
    } catch (error) {
      const { code, message, remedy, details } = error as PluginError & { remedy?: string };
      if (isEnd(error) || this.#options.stopping.aborted) throw error;
      const facts = { code, feature: command.feature, operation: command.operation, topic: command.topic };
      log.warn(`a command starts no run: ${message}`, { ...facts, ...(remedy === undefined ? {} : { remedy }) });
      // Where the document lies, and its faults, are nothing for the sender.
      const text = code === "WORKFLOW_BROKEN" ? "the workflow of this operation has faults" : message;
      const refusal =
        code === "INPUT_INVALID" ? parameterInvalid(this.#reason(command, message, details)) : executionFailed(text);
      await commands.answer(reply, refusal);
      return undefined;
    }
  }

  #reason({ value, operation, feature }: Command, message: string, details: JsonObject | undefined): string {
    const problems = details?.problems;
    const reason = Array.isArray(problems) ? problems.join("; ") : message;
    const { invalidInput } = rulesOf(this.#options.rules);
    const payload = JSON.stringify(shownValue(value, this.#options.schema));
    return fill(invalidInput, { reason, operation, feature, payload });
  }

  /** Tries again what may succeed later. */
  async #insist<Value>(work: () => Promise<Value>): Promise<Value> {
    for (let delayMs = retryDelayMs.first; ; delayMs = Math.min(delayMs * 2, retryDelayMs.longest)) {
      try {
        return await work();
      } catch (error) {
        const { code, message, retryable } = error as PluginError;
        if (retryable !== true || isEnd(error) || this.#options.stopping.aborted) throw error;
        this.#options.log.warn(`a command cannot be taken now: ${message}`, { code });
        await pause(delayMs, this.#options.stopping);
      }
    }
  }
}

const isEnd = (error: unknown) => (error as PluginError).code === "HOST_STOPPING";

function pause(delayMs: number, stopping: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(new PluginError("HOST_STOPPING", "the trigger stops"));
    };
    const timer = setTimeout(() => {
      stopping.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    stopping.addEventListener("abort", onAbort, { once: true });
  });
}
