import { definePlugin, parseDuration } from "gantry";
import type { Things } from "../things/service.ts";
import { checkPeriod } from "./activation.ts";
import { periodInvalid } from "./failures.ts";
import { announce } from "./feature.ts";
import { Ledger } from "./ledger.ts";
import type { Config } from "./plugin.types.ts";
import { Schedule } from "./schedule.ts";
import { activate } from "./steps/activate.ts";
import { begin } from "./steps/begin.ts";
import { cancel } from "./steps/cancel.ts";
import { deactivate } from "./steps/deactivate.ts";
import { expire } from "./steps/expire.ts";
import { remove } from "./steps/remove.ts";
import { report } from "./steps/report.ts";
import { request } from "./steps/request.ts";
import { select } from "./steps/select.ts";
import { turn } from "./steps/turn.ts";
import { Targets } from "./targets.ts";
import { due } from "./triggers/due.ts";
import { overdue } from "./triggers/overdue.ts";
import { Uploads } from "./uploads.ts";

export default definePlugin<Config, { things: Things }>({
  async setup({ config, services, log, keyValue, database }) {
    const { things } = services;
    const { featureId: feature, maxParallel, maxFiles } = config;
    const periodMs = parseDuration(config.period)!;
    if (periodMs === 0) throw periodInvalid("period must be longer than zero");
    const requestTimeoutMs = parseDuration(config.requestTimeout)!;
    if (requestTimeoutMs === 0) throw periodInvalid("requestTimeout must be longer than zero");
    const period = checkPeriod(
      config.activeFrom || null,
      config.activeTill || null,
      "activeFrom and activeTill are times of RFC 3339",
    );
    const active = config.active || period.from !== null || period.till !== null;
    const targets = new Targets(services as unknown as Record<string, unknown>);
    const ledger = new Ledger(database("uploads"));
    const uploads = await Uploads.open({ ledger, things, feature, log, maxParallel, requestTimeoutMs });
    const schedule = await Schedule.open(keyValue, { active, ...period });
    await announce(things, config, targets, schedule);
    return {
      steps: {
        select: select(uploads, ledger, maxFiles),
        request: request(uploads, targets, things, feature),
        begin: begin(uploads, targets),
        turn: turn(uploads),
        remove,
        report: report(uploads),
        cancel: cancel(uploads),
        expire: expire(uploads),
        activate: activate(schedule),
        deactivate: deactivate(schedule),
      },
      triggers: { due: due(schedule, periodMs, keyValue), overdue: overdue(uploads, ledger) },
    };
  },
});
