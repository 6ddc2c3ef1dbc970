import { holdSteps } from "./every-step.ts";

// Some of them; the slow one holds all.
holdSteps((_, index) => index % 25 === 0);
