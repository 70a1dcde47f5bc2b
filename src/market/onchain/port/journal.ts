import type { JournalEntry } from "../../../ledger/records.ts";
import type { SignedTransaction } from "../../../wallet/transaction.ts";

/** A signed transaction as the journal keeps it. */
export const entryOf = ({ hash, raw, nonce }: SignedTransaction): JournalEntry => ({
  reference: hash,
  bytes: raw,
  sequence: nonce,
});

export const transactionOf = ({ reference, bytes, sequence }: JournalEntry): SignedTransaction => ({
  hash: reference,
  raw: bytes,
  nonce: sequence,
});
