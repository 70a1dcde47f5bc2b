import { createHash } from "node:crypto";
import type { Guid } from "../../src/domain/guid.ts";
import type { Action, SignedTransaction, UnsignedTransaction } from "../../src/wallet/transaction.ts";

/** A transaction of our account, as the chain sees it. */
export interface Transaction extends SignedTransaction {
  readonly call: Call;
}

export type Call =
  | { readonly do: "approve"; readonly guid: Guid }
  | { readonly do: "assert"; readonly guid: Guid; readonly commitment: bigint }
  | { readonly do: "reveal"; readonly guid: Guid; readonly index: number; readonly nonce: bigint }
  | { readonly do: "settle"; readonly guid: Guid };

export interface Mined extends Transaction {
  readonly block: number;
  readonly revert: string | undefined;
}

/** A bounty that others assert on, too: `place` is where ours will stand. */
export interface ModelBounty {
  readonly guid: Guid;
  readonly expiration: number;
  readonly place: number;
  asserted: { readonly commitment: bigint; readonly block: number } | undefined;
  revealed: { readonly nonce: bigint; readonly block: number } | undefined;
  settled: number | undefined;
}

/** One account, many bounties, and a contract with the rules that matter. */
export class ModelChain {
  head = 1_000;
  readonly revealWindow: number;
  readonly voteWindow: number;
  readonly bounties = new Map<Guid, ModelBounty>();
  readonly #signed = new Map<string, Transaction>();
  readonly #mined = new Map<string, Mined>();
  readonly #pool = new Map<bigint, Transaction>();
  #count = 0n;

  constructor(windows: { readonly revealWindow: number; readonly voteWindow: number }) {
    this.revealWindow = windows.revealWindow;
    this.voteWindow = windows.voteWindow;
  }

  /** Signs in place of a wallet: the same deed with the same nonce has the same bytes. */
  sign(
    action: Action,
    unsigned: readonly UnsignedTransaction[],
    first: bigint,
  ): readonly SignedTransaction[] {
    return unsigned.map((_, position) => {
      const nonce = first + BigInt(position);
      const call = callOf(action, position);
      const text = JSON.stringify({ ...call, nonce }, (_key, value) =>
        typeof value === "bigint" ? `${value}` : value,
      );
      const raw = Buffer.from(text).toString("hex");
      const hash = `0x${createHash("sha256").update(raw).digest("hex")}`;
      this.#signed.set(raw, { raw, hash, nonce, call });
      return { raw, hash, nonce };
    });
  }

  /** What the node says to it: undefined when it takes it, or has it. */
  submit(raw: string): string | undefined {
    const transaction = this.#signed.get(raw);
    if (transaction === undefined) return "decoding failed";
    const { hash, nonce } = transaction;
    // Of what was mined a node remembers no more than that its nonce is used.
    if (this.#pool.get(nonce)?.hash === hash) return "known transaction";
    if (nonce < this.#count) return "nonce too low";
    if (this.#pool.has(nonce)) return "replacement transaction underpriced";
    this.#pool.set(nonce, transaction);
    return undefined;
  }

  hashOf(raw: string): string {
    return this.#signed.get(raw)?.hash ?? "0x";
  }

  minedCount(): bigint {
    return this.#count;
  }

  pendingCount(): bigint {
    let next = this.#count;
    while (this.#pool.has(next)) next++;
    return next;
  }

  pool(): readonly bigint[] {
    return [...this.#pool.keys()];
  }

  fate(hash: string): Mined | undefined {
    return this.#mined.get(hash);
  }

  mine(): void {
    this.head++;
    for (;;) {
      const next = this.#pool.get(this.#count);
      if (next === undefined) return;
      this.#pool.delete(this.#count);
      const before = this.#approved;
      const revert = this.#execute(next.call, before);
      this.#approved = next.call.do === "approve" ? next.call.guid : undefined;
      this.#count++;
      this.#mined.set(next.hash, { ...next, block: this.head, revert });
    }
  }

  /** The bounty whose approval came last. */
  #approved: Guid | undefined;

  #execute(call: Call, approved: Guid | undefined): string | undefined {
    const bounty = this.bounties.get(call.guid);
    if (bounty === undefined) return "Bounty has not been initialized";
    const block = this.head;
    const revealEnd = bounty.expiration + this.revealWindow;
    switch (call.do) {
      case "approve":
        return undefined;
      case "assert":
        if (approved !== call.guid) return "invalid revert encoding";
        if (block >= bounty.expiration) return "Bounty inactive";
        if (bounty.asserted) return "Sender has already asserted";
        bounty.asserted = { commitment: call.commitment, block };
        return undefined;
      case "reveal":
        if (block < bounty.expiration || block >= revealEnd) return "Bounty not in reveal window";
        if (!bounty.asserted || call.index !== bounty.place) return "Incorrect assertion author";
        if (bounty.revealed) return "Assertion already revealed";
        bounty.revealed = { nonce: call.nonce, block };
        return undefined;
      case "settle":
        if (block < revealEnd + this.voteWindow) return "No Quorum and vote active";
        if (!bounty.asserted) return "Sender has no assertion";
        if (bounty.settled !== undefined) return "Sender already settled";
        bounty.settled = block;
        return undefined;
    }
  }
}

function callOf(action: Action, position: number): Call {
  const { guid } = action;
  switch (action.kind) {
    case "assert":
      return position === 0 ? { do: "approve", guid } : { do: "assert", guid, commitment: action.commitment };
    case "reveal":
      return { do: "reveal", guid, index: action.index, nonce: action.nonce };
    case "settle":
      return { do: "settle", guid };
  }
}
