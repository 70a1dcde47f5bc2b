/** What a request is for, most urgent first: an unrevealed stake is lost, a settlement can wait for ever. */
export const LANES = ["reveal", "assertion", "settle", "read"] as const;
export type Lane = (typeof LANES)[number];
