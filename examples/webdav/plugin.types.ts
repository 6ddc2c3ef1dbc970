// Written by `gantry plugin types`; do not edit.

import type { Stop } from "gantry";

export interface Config {
  /**
   * PEM file with the certificate authorities that servers are verified with, instead of those of the system.
   */
  caCert?: string;
  /**
   * How long a server may neither take nor say anything.
   */
  silenceTimeout: string;
}

export interface PutInput {
  /**
   * The file.
   */
  path: string;
  /**
   * The collection it goes to: an http:// or https:// URL. It is made where it is missing.
   */
  url: string;
  /**
   * Of the file there; slashes make further collections.
   */
  name: string;
  /**
   * Who this device is to the server.
   */
  username?: string | null;
  /**
   * Shows that it is.
   */
  password?: string | null;
  /**
   * Whether links may lead to the file.
   */
  followLinks: boolean;
  /**
   * Whether a file that grows meanwhile is sent as long as it was at the beginning, instead of failing.
   */
  allowGrowth: boolean;
}

export interface PutOutput {
  sizeBytes: number;
  /**
   * Where the file is now.
   */
  url: string;
}

export interface UploadTargetWebdavCheckInput {
  options: {
    [k: string]: string;
  };
}

/** What file-upload asks before it starts an upload. */
export type UploadTargetWebdavService = {
  /** Rejects where the options of a start command lack something. */
  check(input: UploadTargetWebdavCheckInput): Promise<unknown>;
};
