/** Of `recover`, and of a producer that looks for stakes of a lost ledger at its start. */
export const RECOVERY_DEFAULTS = { tries: 2 ** 24, rescanSeconds: 60 } as const;
