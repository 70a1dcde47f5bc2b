import { z } from "zod";

import { type Address, sameAddress } from "../../domain/address.ts";
import { hasBit } from "../../domain/bits.ts";
import { type Guid, uintToGuid } from "../../domain/guid.ts";
import { type Nct, nct } from "../../domain/nct.ts";
import type { DecodedLog } from "../chain/chain.ts";
import type { Truth } from "./player.ts";

/** What an engine did and got, as the chain tells it. */
interface EngineTally {
  readonly account: Address;
  /** Bounties. */
  readonly asserted: number;
  readonly revealed: number;
  readonly settled: number;
  /** Revealed verdicts on artifacts of known truth. */
  readonly right: number;
  readonly wrong: number;
  readonly staked: Nct;
  /** What settlements paid, own stakes included. */
  readonly paid: Nct;
}

export interface SandboxReport {
  /** Bounties posted, by any account. */
  readonly bounties: number;
  /** Accounts that asserted, in the order in which they first did. */
  readonly engines: readonly EngineTally[];
}

/** Keeps count of the market's events. Each must be counted once. */
export interface MarketTally {
  count(log: DecodedLog): void;
  report(): SandboxReport;
  /** Whether every engine that asserted has settled every bounty it asserted on. */
  everybodySettled(): boolean;
  /** Of one bounty. */
  of(guid: Guid): { readonly asserted: number; readonly revealed: number; readonly settled: number };
  /** Who asserted on one bounty. */
  engines(guid: Guid): readonly Address[];
}

interface Answer {
  readonly account: Address;
  readonly guid: Guid;
  readonly mask: bigint;
  readonly staked: bigint;
  verdicts: bigint | undefined;
  paid: bigint | undefined;
}

const Guided = { bountyGuid: z.bigint().transform(uintToGuid) };
const Account = z.string().transform((text) => text as Address);
const NewAssertion = z.object({ ...Guided, author: Account, mask: z.bigint(), bid: z.array(z.bigint()) });
const RevealedAssertion = z.object({ ...Guided, author: Account, verdicts: z.bigint() });
const SettledBounty = z.object({ ...Guided, settler: Account, payout: z.bigint() });

export function marketTally(truth: Truth): MarketTally {
  const answers: Answer[] = [];
  let bounties = 0;

  const answerOf = (guid: Guid, account: Address): Answer | undefined =>
    answers.find((answer) => answer.guid === guid && sameAddress(answer.account, account));

  return {
    count({ contract, event, args }) {
      if (contract !== "registry") return;
      if (event === "NewBounty") bounties++;
      if (event === "NewAssertion") {
        const { bountyGuid: guid, author: account, mask, bid } = NewAssertion.parse(args);
        const staked = bid.reduce((sum, amount) => sum + amount, 0n);
        answers.push({ account, guid, mask, staked, verdicts: undefined, paid: undefined });
      }
      if (event === "RevealedAssertion") {
        const { bountyGuid, author, verdicts } = RevealedAssertion.parse(args);
        const answer = answerOf(bountyGuid, author);
        if (answer !== undefined) answer.verdicts = verdicts;
      }
      if (event === "SettledBounty") {
        const { bountyGuid, settler, payout } = SettledBounty.parse(args);
        const answer = answerOf(bountyGuid, settler);
        if (answer !== undefined) answer.paid = payout;
      }
    },
    report() {
      const byEngine = Map.groupBy(answers, ({ account }) => account.toLowerCase());
      return { bounties, engines: [...byEngine.values()].map((given) => tallyOf(given, truth)) };
    },
    everybodySettled: () => answers.every(({ paid }) => paid !== undefined),
    of: (guid) => stepsOf(answers.filter((answer) => answer.guid === guid)),
    engines: (guid) => answers.filter((answer) => answer.guid === guid).map(({ account }) => account),
  };
}

const stepsOf = (answers: readonly Answer[]) => ({
  asserted: answers.length,
  revealed: answers.filter(({ verdicts }) => verdicts !== undefined).length,
  settled: answers.filter(({ paid }) => paid !== undefined).length,
});

function tallyOf(answers: readonly Answer[], truth: Truth): EngineTally {
  const marks = answers.flatMap((answer) => marksOf(answer, truth));
  return {
    account: answers[0]!.account,
    ...stepsOf(answers),
    right: marks.filter((right) => right).length,
    wrong: marks.filter((right) => !right).length,
    staked: nct(answers.reduce((sum, { staked }) => sum + staked, 0n)),
    paid: nct(answers.reduce((sum, { paid }) => sum + (paid ?? 0n), 0n)),
  };
}

/** Per revealed verdict on an artifact of known truth, whether it was right. */
function marksOf({ guid, mask, verdicts }: Answer, truth: Truth): boolean[] {
  if (verdicts === undefined) return [];
  return (truth(guid) ?? []).flatMap((malicious, index) =>
    hasBit(mask, index) ? [hasBit(verdicts, index) === malicious] : [],
  );
}
