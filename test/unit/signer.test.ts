import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { eth } from "web3";
import { parseAddress } from "../../src/domain/address.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import { nct } from "../../src/domain/nct.ts";
import type { Pins } from "../../src/wallet/policy.ts";
import { openSigner } from "../../src/wallet/signer.ts";
import type { Action, UnsignedTransaction } from "../../src/wallet/transaction.ts";
import vectors from "../fixtures/protocol/transactions.json" with { type: "json" };

const key = createHash("sha256").update("protocol-ref-key-expert").digest();
const guid = parseGuid(vectors.guid);
const commitment = 41858823515709770275456305386038469104272066898356396537577255862292579792862n;

const assert: Action = {
  kind: "assert",
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
    const reveal: Action = {
      kind: "reveal",
      guid,
      index: 4,
      nonce: 1n,
      verdicts: 5n,
      metadata: "QmYNmQKp6SuaVrpgWRsPTgCQCnpxUYGq76YEKBXuj2N4H6",
    };
    const asked = unsigned(vectors.registry, vectors.calls.revealAssertion);
    for (const [signed] of [
      await wallet.sign(reveal, [asked], 9n),
      await wallet.sign({ kind: "settle", guid }, [settle], 10n),
    ]) {
      expect(eth.accounts.recoverTransaction(`0x${signed!.raw}`)).toBe(wallet.address);
    }
  });

  it("signs what asks for more gas than the cap with the cap, whatever a chain's block limit is", async () => {
    const wallet = openSigner(key);
    const [exact] = await wallet.sign({ kind: "settle", guid }, [settle], 3n);
    for (const gas of [50_000_001n, 94_040_201n, 100_000_000n, 2n ** 70n]) {
      const [clamped] = await wallet.sign({ kind: "settle", guid }, [{ ...settle, gas }], 3n);
      expect(clamped).toEqual(exact);
    }
    const less = { ...settle, gas: 49_000_000n };
    expect((await wallet.sign({ kind: "settle", guid }, [less], 3n))[0]).not.toEqual(exact);
  });

  it("stores what it learns about the marketplace before it signs, and only when it learns something", async () => {
    const learnt: Pins[] = [];
    const wallet = openSigner(key, { onPins: (pins) => void learnt.push(pins) });
    await wallet.sign({ kind: "settle", guid }, [settle], 0n);
    await wallet.sign(assert, pair, 1n);
    await wallet.sign(assert, pair, 3n);
    const contracts = { chainId: 1337n, registry: vectors.registry };
    expect(learnt).toEqual([{ ...contracts, token: undefined }]);
    // An approval proves no token: nothing was mined yet.
    await wallet.confirmToken();
    await wallet.confirmToken();
    expect(learnt.slice(1)).toEqual([{ ...contracts, token: vectors.token }]);
    expect(wallet.pins()).toEqual(learnt[1]);
  });

  it("is not bound for ever by a wrong token in the first approval: another is signed for when it is built twice in a row", async () => {
    const wallet = openSigner(key);
    const wrong = parseAddress(`0x${"22".repeat(20)}`);
    const [approval, assertion] = pair;
    const misled = [{ ...approval!, to: wrong }, assertion!];
    await wallet.sign(assert, misled, 0n);
    const refused = { code: "TRANSACTION_REFUSED" };
    await expect(wallet.sign(assert, pair, 2n)).rejects.toMatchObject(refused);
    await expect(wallet.sign(assert, pair, 2n)).resolves.toHaveLength(2);
    await wallet.confirmToken();
    expect(wallet.pins().token).toBe(vectors.token);
    for (let times = 0; times < 3; times++)
      await expect(wallet.sign(assert, misled, 4n)).rejects.toMatchObject(refused);
  });

  it("signs for another token only if nothing else differs, and if it was not said in between", async () => {
    const wallet = openSigner(key);
    const [approval, assertion] = pair;
    const misled = [{ ...approval!, to: parseAddress(`0x${"22".repeat(20)}`) }, assertion!];
    const refused = { code: "TRANSACTION_REFUSED" };
    await wallet.sign(assert, pair, 0n);
    await expect(wallet.sign(assert, misled, 2n)).rejects.toMatchObject(refused);
    await wallet.sign(assert, pair, 2n);
    await expect(wallet.sign(assert, misled, 4n)).rejects.toMatchObject(refused);
    const dear = [{ ...misled[0]!, value: 1n }, assertion!];
    await expect(wallet.sign(assert, dear, 4n)).rejects.toMatchObject(refused);
    await expect(wallet.sign(assert, misled, 4n)).resolves.toHaveLength(2);
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

  it("signs what keeps a promise while a full disk takes no pin of the token that was proved, and nothing new", async () => {
    let full = false;
    const stored: Pins[] = [];
    const wallet = openSigner(key, {
      onPins: (pins) => (full ? Promise.reject(new Error("disk full")) : void stored.push(pins)),
    });
    await wallet.sign(assert, pair, 0n);
    full = true;
    await expect(wallet.confirmToken()).rejects.toThrow("disk full");
    await expect(wallet.sign({ kind: "settle", guid }, [settle], 2n)).resolves.toHaveLength(1);
    await expect(wallet.sign(assert, pair, 3n)).rejects.toThrow("disk full");
    full = false;
    await wallet.sign({ kind: "settle", guid }, [settle], 3n);
    expect(stored.at(-1)?.token).toBe(wallet.pins().token);
  });

  it("holds to what it learnt: another registry is refused afterwards", async () => {
    const wallet = openSigner(key);
    await wallet.sign({ kind: "settle", guid }, [settle], 0n);
    const elsewhere = { ...settle, to: parseAddress(`0x${"22".repeat(20)}`) };
    await expect(wallet.sign({ kind: "settle", guid }, [elsewhere], 1n)).rejects.toMatchObject({
      code: "TRANSACTION_REFUSED",
    });
  });

  it("signs for the marketplace it is held to, and for no other", async () => {
    const stored: Pins[] = [];
    const wallet = openSigner(key, { onPins: (pins) => void stored.push(pins) });
    const pins = { chainId: 1337n, registry: parseAddress(vectors.token), token: undefined };
    wallet.hold(pins);
    expect(wallet.pins()).toEqual(pins);
    await expect(wallet.sign({ kind: "settle", guid }, [settle], 0n)).rejects.toMatchObject({
      code: "TRANSACTION_REFUSED",
    });
    wallet.hold({ ...pins, registry: parseAddress(vectors.registry) });
    await expect(wallet.sign({ kind: "settle", guid }, [settle], 0n)).resolves.toHaveLength(1);
    expect(stored).toEqual([]);
  });

  it("shows its key to nobody who prints it", () => {
    const wallet = openSigner(key);
    const shown = inspect(wallet, { depth: 9, showHidden: true }) + JSON.stringify(wallet);
    expect(shown).not.toContain(key.toString("hex"));
    expect(shown).not.toMatch(/Uint8Array|Buffer/);
  });
});

describe("a commitment nonce", () => {
  const registry = parseAddress(vectors.registry);
  const scope = { chainName: "side", chainId: 1337n, registry, guid } as const;
  const wallet = openSigner(key);

  it("is the same for the same key and bounty, and fits 256 bits without being zero", () => {
    const nonce = wallet.commitmentNonce(scope);
    expect(nonce).toBe(openSigner(key).commitmentNonce(scope));
    expect(nonce > 0n && nonce < 1n << 256n).toBe(true);
  });

  // Made by another implementation of HKDF and HMAC, from the words of decision 10.
  it.each([
    [scope, 53426057844559634101749338233682005424167403268532506257001965897833114890914n],
    [
      { ...scope, chainName: "home", chainId: 1n } as const,
      28392806839153337117413732957758679646895513862519867705171934153460282690929n,
    ],
    [
      {
        ...({ chainName: "side", chainId: 1338n, registry: parseAddress(vectors.token) } as const),
        guid: parseGuid("00000000-0000-0000-0000-000000000000"),
      },
      12416838750491217960630811521219265561848837449449563817318598024137757773958n,
    ],
  ])("never changes between releases: old assertions must stay revealable (%#)", (of, nonce) => {
    expect(wallet.commitmentNonce(of)).toBe(nonce);
  });

  it("is the same however the registry is written", () => {
    const checksummed = parseAddress("0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE");
    const plain = checksummed.toLowerCase() as typeof checksummed;
    expect(wallet.commitmentNonce({ ...scope, registry: plain })).toBe(
      wallet.commitmentNonce({ ...scope, registry: checksummed }),
    );
  });

  it("differs by key, chain, chain id, registry and bounty", () => {
    const nonces = [
      wallet.commitmentNonce(scope),
      openSigner(createHash("sha256").update("another").digest()).commitmentNonce(scope),
      wallet.commitmentNonce({ ...scope, chainName: "home" }),
      wallet.commitmentNonce({ ...scope, chainId: 1338n }),
      wallet.commitmentNonce({ ...scope, registry: parseAddress(vectors.token) }),
      wallet.commitmentNonce({ ...scope, guid: parseGuid("00000000-0000-0000-0000-000000000000") }),
    ];
    expect(new Set(nonces).size).toBe(nonces.length);
  });
});
