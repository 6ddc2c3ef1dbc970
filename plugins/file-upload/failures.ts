// What a command can be answered with, in the original's words.

import { PluginError } from "gantry";

const parameterInvalid = (status: number) => ({ answer: { status, error: "messages:parameter.invalid" } });

export const notFound = (id: string) =>
  new PluginError("FILE_UPLOAD_UNKNOWN", `upload with correlation ID '${id}' not found`, parameterInvalid(404));

export const hasParts = (id: string) =>
  new PluginError(
    "FILE_UPLOAD_HAS_PARTS",
    `multi-file upload '${id}' cannot be started - start the individual uploads`,
  );

export const alreadyStarted = (id: string) =>
  new PluginError("FILE_UPLOAD_ALREADY_STARTED", `upload '${id}' already started`);

export const patternInvalid = (message: string) => new PluginError("FILE_UPLOAD_PATTERN_INVALID", message);

export const tooMany = (most: number) =>
  new PluginError("FILE_UPLOAD_TOO_MANY", `the pattern leads to more than ${most} files or folders`);

export const ongoing = () =>
  new PluginError(
    "FILE_UPLOAD_ONGOING",
    "there is an ongoing upload -  set the 'force' option to 'true' to force trigger the upload",
  );

export const idTaken = (id: string) =>
  new PluginError("FILE_UPLOAD_ID_TAKEN", `there is an upload with correlation ID '${id}' already`);

export const optionsTooLong = (prefix: string, most: number) =>
  new PluginError("FILE_UPLOAD_OPTIONS_INVALID", `the options ${prefix}* have more than ${most} characters together`);

export const providerUnknown = (name: string) =>
  new PluginError("FILE_UPLOAD_PROVIDER_UNKNOWN", `unknown storage provider '${name}'`);

export const ended = (id: string) => new PluginError("FILE_UPLOAD_ENDED", `the upload '${id}' has ended meanwhile`);

export const periodInvalid = (message: string) =>
  new PluginError("FILE_UPLOAD_PERIOD_INVALID", message, parameterInvalid(400));
