import { expect, it } from "vitest";
import type { Address } from "../../src/domain/address.ts";
import { guidToUint, parseGuid } from "../../src/domain/guid.ts";
import { ONE_NCT } from "../../src/domain/nct.ts";
import type { DecodedLog } from "../../src/sandbox/chain/chain.ts";
import { marketTally } from "../../src/sandbox/players/tally.ts";

const GUID = parseGuid("3c6f0a52-9d41-4b7e-8f10-2a5b6c7d8e9f");
const bountyGuid = guidToUint(GUID);
const [ONE, TWO] = ["0x63046FD3FBCe76196914C3021B30c09CEB2f4F03", `0x${"22".repeat(20)}`] as Address[];

const log = (event: string, args: object): DecodedLog => ({
  contract: "registry",
  event,
  args: args as DecodedLog["args"],
  blockNumber: 1,
  transactionHash: "0x00",
  logIndex: 0,
});

it("counts what each engine did, was right about and was paid, and says when all have settled", () => {
  const tally = marketTally((guid) => (guid === GUID ? [true, false, true] : undefined));
  const count = (event: string, args: object): void => tally.count(log(event, args));
  expect(tally.everybodySettled()).toBe(true);

  count("NewBounty", { guid: bountyGuid });
  count("NewAssertion", { bountyGuid, author: ONE, mask: 7n, bid: [ONE_NCT, ONE_NCT, ONE_NCT] });
  count("NewAssertion", { bountyGuid, author: TWO, mask: 1n, bid: [ONE_NCT] });
  // Right on artifacts 0 and 1, wrong on 2; the other engine stays silent.
  count("RevealedAssertion", { bountyGuid, author: ONE, verdicts: 1n });
  count("SettledBounty", { bountyGuid, settler: ONE!.toLowerCase(), payout: 5n });
  // An ambassador settles too, without having asserted.
  count("SettledBounty", { bountyGuid, settler: `0x${"33".repeat(20)}`, payout: 9n });
  expect(tally.of(GUID)).toEqual({ asserted: 2, revealed: 1, settled: 1 });
  expect(tally.engines(GUID)).toEqual([ONE, TWO]);
  expect(tally.everybodySettled()).toBe(false);
  count("SettledBounty", { bountyGuid, settler: TWO, payout: 0n });
  expect(tally.everybodySettled()).toBe(true);

  expect(tally.report()).toEqual({
    bounties: 1,
    engines: [
      {
        account: ONE,
        asserted: 1,
        revealed: 1,
        settled: 1,
        right: 2,
        wrong: 1,
        staked: 3n * ONE_NCT,
        paid: 5n,
      },
      { account: TWO, asserted: 1, revealed: 0, settled: 1, right: 0, wrong: 0, staked: ONE_NCT, paid: 0n },
    ],
  });
});
