/** The chains that a gateway of the contract dialect serves. */
export const CHAIN_NAMES = ["side", "home"] as const;
export type ChainName = (typeof CHAIN_NAMES)[number];
