/** What the demo says beside its board: fixed sentences, in lines that a terminal of 80 columns does not break. */

/** The assertion and reveal windows, the arbiters' votes and a block or two between. */
const SETTLED_AFTER_BLOCKS = 20;

export const STARTING =
  "Starting a local marketplace: a chain, contracts, a gateway,\nan ambassador, arbiters and two rivals.";

export const whereItIs = (url: string, consumers: number): string =>
  `It is at ${url}. Starting a producer and ${consumers} consumers.`;

export function whatFollows(bounties: number, blockMs: number): string {
  const follow = bounties === 1 ? "One bounty follows" : `${bounties} bounties follow, one a block`;
  const seconds = Math.round((SETTLED_AFTER_BLOCKS * blockMs) / 1_000);
  return `The engine listens. ${follow};\neach is settled about ${seconds} seconds after it came.\n`;
}
