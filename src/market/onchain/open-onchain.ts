import type { ChainName } from "../../domain/chain.ts";
import { Fault } from "../../domain/fault.ts";
import type { Clock } from "../../domain/instant.ts";
import type { Nct } from "../../domain/nct.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Logger } from "../../observe/log.ts";
import type { Signer } from "../../wallet/transaction.ts";
import type { TellRecover } from "../recovery-events.ts";
import { type JoinConfig, type JoinParts, joinChain } from "./chain/join-chain.ts";
import { OnchainMarket } from "./onchain-market.ts";
import type { TellOnchain } from "./port/events.ts";

export interface OnchainParts {
  readonly config: JoinConfig & { readonly maxFee?: Nct | undefined };
  readonly privateKey: Uint8Array;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly tell: TellOnchain;
  readonly tellRecover: TellRecover;
  readonly log: Logger;
  /** For how long a gateway is asked that does not answer: where something is staked, for as long as it takes. */
  readonly patience?: JoinParts["patience"];
  /** Verdicts that a start tries at most for an answer that the ledger lost. */
  readonly tries: number;
  /** Of microengine. */
  readonly version: string;
  /** Counts transactions that the wallet refused to sign. */
  readonly onRefused?: () => void;
  /** Counts what the market client would not take. */
  readonly counts?: JoinParts["counts"];
}

/** The marketplace on one chain. Throws ConfigFault when configuration and ledger contradict each other about wallet or contracts. */
export function openOnchain(chain: ChainName, parts: OnchainParts): OnchainMarket {
  const { config, privateKey, ledger, clock, tell, tellRecover, log, tries, version } = parts;
  const { patience, onRefused, counts } = parts;
  const joined = joinChain(chain, {
    config,
    privateKey,
    ledger,
    clock,
    log,
    ...(patience === undefined ? {} : { patience }),
    ...(onRefused === undefined ? {} : { watched: (signer) => counting(signer, onRefused) }),
    ...(counts === undefined ? {} : { counts }),
  });
  const { maxFee: feeCeiling } = config;
  const market = new OnchainMarket({
    joined,
    ledger,
    clock,
    tell,
    tellRecover,
    feeCeiling,
    tries,
    version,
  });
  market.listen();
  return market;
}

/** The same signer, telling each time it was handed something that was not asked for. */
const counting = (signer: Signer, refused: () => void): Signer => ({
  address: signer.address,
  async sign(...asked) {
    try {
      return await signer.sign(...asked);
    } catch (error) {
      if (error instanceof Fault && error.code === "TRANSACTION_REFUSED") refused();
      throw error;
    }
  },
});
