interface Backoff {
  readonly firstMs: number;
  /** Default: there is no longest. */
  readonly longestMs?: number;
  /** 0..1, spreads the pauses of many apart. Default: they are as long as they may be. */
  readonly random?: () => number;
}

/** Milliseconds to wait after so many failures, 1 or more: twice as long each time, and with chance down to half of that. */
export function backoff(failures: number, { firstMs, longestMs, random }: Backoff): number {
  const fullMs = Math.min(firstMs * 2 ** (failures - 1), longestMs ?? Number.POSITIVE_INFINITY);
  return random === undefined ? fullMs : fullMs * (0.5 + random() / 2);
}
