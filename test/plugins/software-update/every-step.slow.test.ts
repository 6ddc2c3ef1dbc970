import { holdSteps } from "./every-step.ts";

holdSteps(() => true);
