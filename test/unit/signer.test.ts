import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { eth } from "web3";
import { parseAddress } from "../../src/domain/address.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import { nct } from "../../src/domain/nct.ts";
import type { Intent, UnsignedTransaction } from "../../src/domain/transaction.ts";
import type { Pins } from "../../src/wallet/policy.ts";
import { openSigner } from "../../src/wallet/signer.ts";
import vectors from "../fixtures/protocol/transactions.json" with { type: "json" };

const key = createHash("sha256").update("protocol-ref-key-expert").digest();
const guid = parseGuid(vectors.guid);
const commitment = 41858823515709770275456305386038469104272066898356396537577255862292579792862n;

const assert: Intent = {
  action: "assert",
  guid,
  bids: [nct(1000000000000000000n), nct(531250000000000000n)],
  mask: 5n,
  commitment,
  fee: nct(31250000000000000n),
};
const unsigned = (to: string, data: string): UnsignedTransaction => ({
  nonce: 0n,
  chainId: 1337n,
  gas: 50_000_000n,
  gasPrice: 0n,
  to: parseAddress(to),
  value: 0n,
  data,
});
const pair = [
  unsigned(vectors.token, vectors.calls.approve),
  unsigned(vectors.registry, vectors.calls.postAssertion),
];
const settle = unsigned(vectors.registry, vectors.calls.settleBounty);

describe("the signer", () => {
  it("knows its checksum address", () => {
    expect(openSigner(key).address).toBe("0x63046FD3FBCe76196914C3021B30c09CEB2f4F03");
  });

  it("reproduces the published EIP-155 vectors with the nonces it is given", async () => {
    const signed = await openSigner(key).sign(assert, pair, 7n);
    expect(signed.map(({ raw, hash, nonce }) => ({ raw, hash, nonce: Number(nonce) }))).toEqual(
      vectors.signed.map(({ raw, hash, nonce }) => ({ raw, hash, nonce })),
    );
  });

  it("signs the published reveal and settlement, and web3 recovers the sender", async () => {
    const wallet = openSigner(key);
    const reveal: Intent = {
      action: "reveal",
      guid,
      index: 4,
      nonce: 1n,
      verdicts: 5n,
      metadata: "QmYNmQKp6SuaVrpgWRsPTgCQCnpxUYGq76YEKBXuj2N4H6",
    };
    const asked = unsigned(vectors.registry, vectors.calls.revealAssertion);
    for (const [signed] of [
      await wallet.sign(reveal, [asked], 9n),
      await wallet.sign({ action: "settle", guid }, [settle], 10n),
    ]) {
      expect(eth.accounts.recoverTransaction(`0x${signed!.raw}`)).toBe(wallet.address);
    }
  });

  it("stores what it learns about the marketplace before it signs, and only when it learns something", async () => {
    const learnt: Pins[] = [];
    const wallet = openSigner(key, { onPins: (pins) => void learnt.push(pins) });
    await wallet.sign({ action: "settle", guid }, [settle], 0n);
    await wallet.sign(assert, pair, 1n);
    await wallet.sign(assert, pair, 3n);
    expect(learnt).toEqual([
      { chainId: 1337n, registry: vectors.registry, token: undefined },
      { chainId: 1337n, registry: vectors.registry, token: vectors.token },
    ]);
    expect(wallet.pins()).toEqual(learnt[1]);
  });

  it("signs nothing while what it learnt cannot be stored", async () => {
    let full = true;
    const wallet = openSigner(key, {
      onPins: () => (full ? Promise.reject(new Error("disk full")) : undefined),
    });
    await expect(wallet.sign(assert, pair, 0n)).rejects.toThrow("disk full");
    await expect(wallet.sign(assert, pair, 0n)).rejects.toThrow("disk full");
    full = false;
    await expect(wallet.sign(assert, pair, 0n)).resolves.toHaveLength(2);
  });

  it("holds to what it learnt: another registry is refused afterwards", async () => {
    const wallet = openSigner(key);
    await wallet.sign({ action: "settle", guid }, [settle], 0n);
    const elsewhere = { ...settle, to: parseAddress(`0x${"22".repeat(20)}`) };
    await expect(wallet.sign({ action: "settle", guid }, [elsewhere], 1n)).rejects.toMatchObject({
      code: "TRANSACTION_REFUSED",
    });
  });

  it("shows its key to nobody who prints it", () => {
    const wallet = openSigner(key);
    const shown = inspect(wallet, { depth: 9, showHidden: true }) + JSON.stringify(wallet);
    expect(shown).not.toContain(key.toString("hex"));
    expect(shown).not.toMatch(/Uint8Array|Buffer/);
  });
});

describe("a commitment nonce", () => {
  const scope = { chainName: "side", guid } as const;
  const wallet = openSigner(key);

  it("is the same for the same key and bounty, and fits 256 bits without being zero", () => {
    const nonce = wallet.commitmentNonce(scope);
    expect(nonce).toBe(openSigner(key).commitmentNonce(scope));
    expect(nonce > 0n && nonce < 1n << 256n).toBe(true);
  });

  it("never changes between releases: old assertions must stay revealable", () => {
    expect(wallet.commitmentNonce(scope)).toMatchInlineSnapshot(
      `24985309752078642566858501243046544565976565468031752773462812178828607069175n`,
    );
  });

  it("differs by key, chain, chain id, registry and bounty", () => {
    const nonces = [
      wallet.commitmentNonce(scope),
      openSigner(createHash("sha256").update("another").digest()).commitmentNonce(scope),
      wallet.commitmentNonce({ ...scope, chainName: "home" }),
      wallet.commitmentNonce({ ...scope, chainId: 1337n }),
      wallet.commitmentNonce({ ...scope, registry: parseAddress(vectors.registry) }),
      wallet.commitmentNonce({ ...scope, guid: parseGuid("00000000-0000-0000-0000-000000000000") }),
    ];
    expect(new Set(nonces).size).toBe(nonces.length);
  });
});
