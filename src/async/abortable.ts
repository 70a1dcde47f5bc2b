/** The promise, or a rejection with the signal's reason if that aborts first. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  const leave = () => reject(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", leave));
}
