import { unlessAborted } from "./unless-aborted.ts";

/** The promise, or a rejection with the signal's reason if that aborts first. */
export const abortable = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  unlessAborted(signal, promise, () => {
    throw signal.reason;
  });
