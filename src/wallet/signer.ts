import { Common, Hardfork, privateKeyToAddress, Transaction } from "web3-eth-accounts";
import { keccak256 } from "web3-utils";
import { type Address, parseAddress, sameAddress } from "../domain/address.ts";
import { commitmentNonces, type NonceScope } from "./commitment-nonce.ts";
import {
  checkTransactions,
  type Pins,
  SIDE_CHAIN_POLICY,
  type SigningPolicy,
  withinGasCap,
} from "./policy.ts";
import type { Action, SignedTransaction, Signer, UnsignedTransaction } from "./transaction.ts";

/** A signer with the one other thing that only the holder of the key can do. */
export interface Wallet extends Signer {
  /** See commitment-nonce.ts. */
  commitmentNonce(scope: NonceScope): bigint;
  /** Chain id and contracts that this wallet signs for, as far as they are known. */
  pins(): Pins;
  /** From now on signs for these only; the caller has stored them. */
  hold(pins: Pins): void;
  /** The token that it signs approvals for was proved to be the market's: from now on it is pinned, and stored. */
  confirmToken(): Promise<void>;
}

export interface WalletOptions extends Partial<SigningPolicy> {
  /**
   * Called before the first signature that relies on newly learnt pins; must have stored them when it resolves.
   * No assertion is signed while it rejects, and it is called again before the next signature.
   */
  readonly onPins?: (pins: Pins) => Promise<void> | void;
}

/**
 * Holds a private key (32 bytes), which never leaves this function: it is reachable from no property, so neither a log
 * line nor a heap of JSON can carry it away.
 *
 * The token shows in the first approval only, and nothing was mined then that proves it:
 *
 *     unknown ──an approval is signed──► held ──confirmToken──► pinned
 *                                        │ ▲
 *                another is built, twice │ │ signed
 *                                in a row▼ │
 *                                        unknown
 */
export function openSigner(privateKey: Uint8Array, options: WalletOptions = {}): Wallet {
  const key = Uint8Array.from(privateKey);
  const policy: SigningPolicy = { ...SIDE_CHAIN_POLICY, ...options };
  const nonceFor = commitmentNonces(key);
  let pins = policy.pins;
  let stored = pins;
  let heldToken: Address | undefined;
  let anotherToken: Address | undefined;

  const check = (action: Action, transactions: readonly UnsignedTransaction[]): Pins => {
    const token = pins.token ?? heldToken;
    try {
      return checkTransactions(action, transactions, { ...policy, pins: { ...pins, token } });
    } catch (error) {
      const built = action.kind === "assert" ? transactions[0]?.to : undefined;
      if (pins.token !== undefined || heldToken === undefined || built === undefined) throw error;
      const again = anotherToken !== undefined && sameAddress(anotherToken, built);
      if (sameAddress(heldToken, built) || !again) {
        anotherToken = built;
        throw error;
      }
      return checkTransactions(action, transactions, { ...policy, pins });
    }
  };
  const store = async (learnt: Pins): Promise<void> => {
    pins = learnt;
    if (pins === stored) return;
    await options.onPins?.(learnt);
    stored = learnt;
  };

  return {
    address: parseAddress(privateKeyToAddress(key)),
    commitmentNonce: nonceFor,
    pins: () => pins,
    hold(known) {
      pins = known;
      stored = known;
      heldToken = undefined;
    },
    async confirmToken() {
      if (pins.token === undefined && heldToken !== undefined) await store({ ...pins, token: heldToken });
    },
    async sign(action, transactions, firstNonce) {
      const found = check(action, transactions);
      const storing = store(merge(pins, { ...found, token: pins.token }));
      // What keeps a promise is signed although a disk takes no pin: it is held to the pins all the same.
      await (action.kind === "assert" ? storing : storing.catch(() => undefined));
      if (action.kind === "assert") {
        heldToken = found.token;
        anotherToken = undefined;
      }
      return transactions.map((transaction, index) =>
        signTransaction(withinGasCap(transaction, policy), firstNonce + BigInt(index), key),
      );
    },
  };
}

/** The same object when nothing was learnt, so that identity says whether there is something to store. */
const merge = (known: Pins, found: Pins): Pins =>
  known.chainId === found.chainId && known.registry === found.registry && known.token === found.token
    ? known
    : found;

/**
 * EIP-155 legacy signature, RFC 6979 and low S. web3's own `signTransaction` does the same in twenty times the time,
 * because it validates and recovers what it just made.
 */
function signTransaction(
  transaction: UnsignedTransaction,
  nonce: bigint,
  key: Uint8Array,
): SignedTransaction {
  const { gas, gasPrice, to, value, data } = transaction;
  const signed = Transaction.fromTxData(
    { nonce, gasPrice, gasLimit: gas, to, value, data },
    { common: chainOf(transaction.chainId) },
  ).sign(key);
  const raw = signed.serialize();
  return { raw: Buffer.from(raw).toString("hex"), hash: keccak256(raw), nonce };
}

// Petersburg is the last fork that knew nothing but legacy transactions; which one is named here changes no byte.
const chainOf = (chainId: bigint) =>
  Common.custom(
    { chainId, networkId: chainId, defaultHardfork: Hardfork.Petersburg },
    { hardfork: Hardfork.Petersburg },
  );
