const ABORTED = Symbol("aborted");

/**
 * What `work` settles to, or `instead()` once the signal aborts first, also when it has aborted already. The work goes on
 * then, and a failure of it is ignored. No listener stays on the signal.
 */
export async function unlessAborted<T, A>(
  signal: AbortSignal,
  work: Promise<T>,
  instead: () => A,
): Promise<T | A> {
  const { promise: aborted, resolve } = Promise.withResolvers<typeof ABORTED>();
  const onAbort = (): void => resolve(ABORTED);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const settled = await Promise.race([aborted, work]);
    return settled === ABORTED ? instead() : settled;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
