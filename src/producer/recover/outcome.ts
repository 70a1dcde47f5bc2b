import { formatNct } from "../../domain/nct.ts";
import { jsonNumber } from "../../json/json.ts";
import { table } from "../../terminal/table.ts";

/** What a run of `recover` came to. Every count is of bounties. */
export interface RecoverOutcome {
  readonly account: string;
  /** Looked at, on all chains together. */
  readonly looked: number;
  /** With an assertion of ours: those known, rebuilt and not rebuilt. */
  readonly assertions: number;
  /** The ledger had them already. */
  readonly known: number;
  readonly rebuilt: number;
  readonly notRebuilt: number;
  /** The marketplace would not say whether there is an assertion of ours. */
  readonly unread: number;
  /** The list of bounties was read to its end. */
  readonly complete: boolean;
  /** By this run, as are the following. */
  readonly revealed: number;
  /** The reveal window had closed. */
  readonly missed: number;
  readonly settled: number;
  /** Found to be settled already; what that paid is not known. */
  readonly settledBefore: number;
  /** Still to be revealed or settled. */
  readonly open: number;
  /** Base units, of what this run settled. */
  readonly payout: bigint;
}

/** Every assertion of ours is in the ledger, as far as the market has any. */
export const isAllRebuilt = ({ notRebuilt, unread, complete }: RecoverOutcome): boolean =>
  notRebuilt === 0 && unread === 0 && complete;

/** The table that `recover` ends with, and a sentence. */
export function renderRecovery(outcome: RecoverOutcome): string {
  const rows: readonly (readonly [string, string])[] = [
    ["account", outcome.account],
    ["bounties looked at", String(outcome.looked)],
    ["assertions of this account", String(outcome.assertions)],
    ["rebuilt", String(outcome.rebuilt)],
    ["in the ledger before", String(outcome.known)],
    ["not rebuilt", String(outcome.notRebuilt)],
    ["could not be looked at", String(outcome.unread)],
    ["revealed", String(outcome.revealed)],
    ["reveal window missed", String(outcome.missed)],
    ["settled", String(outcome.settled)],
    ["settled before", String(outcome.settledBefore)],
    ["still open", String(outcome.open)],
    ["payout", `${formatNct(outcome.payout)} NCT`],
  ];
  return `${table(rows)}\n\n  ${conclusion(outcome)}\n`;
}

function conclusion(outcome: RecoverOutcome): string {
  const { complete, unread, notRebuilt, assertions, looked, account, open } = outcome;
  if (!complete) return "Not every bounty was looked at; run this again.";
  if (unread > 0) return "Some bounties could not be looked at; run this again.";
  if (notRebuilt > 0) return "Some assertions could not be rebuilt; the log names them, and why.";
  if (assertions === 0)
    return `${looked} bounties, and no assertion of ${account} on any: is this the keyfile, and the gateway, you worked with?`;
  if (open > 0) return `Every assertion is in the ledger; a producer sees to the ${open} still open.`;
  return "Every assertion is in the ledger, revealed or too late for it, and settled.";
}

/** One line of JSON. The payout is a number with all its digits. */
export const recoveryJson = ({ payout, ...counts }: RecoverOutcome): string =>
  JSON.stringify({ ...counts, payoutNct: jsonNumber(formatNct(payout)) });
