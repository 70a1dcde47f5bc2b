/**
 * Being asked to stop: the first SIGINT or SIGTERM asks, a later one insists.
 *
 *     running ── signal ──► stopping ── signal, half a second later or more ──► gone (130 or 143)
 *                              └── signal, sooner ──► stopping
 *
 * Sooner ones are the same request: a terminal sends Ctrl-C to npm and to us, and npm passes it on to us once more.
 */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
const SAME_REQUEST_MS = 500;

/** What is needed of the process that is asked to stop. */
interface Stoppable {
  on(signal: keyof typeof EXIT_CODES, listener: () => void): unknown;
  exit(code: number): void;
}

/** `nowMs` only has to be monotonic. */
export function stopSignal(target: Stoppable, nowMs: () => number): AbortSignal {
  const stop = new AbortController();
  let askedAt = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    target.on(signal, () => {
      if (stop.signal.aborted) {
        if (nowMs() - askedAt >= SAME_REQUEST_MS) target.exit(EXIT_CODES[signal]);
        return;
      }
      askedAt = nowMs();
      stop.abort();
    });
  }
  return stop.signal;
}
