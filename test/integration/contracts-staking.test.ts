import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { Address } from "../../src/domain/address.ts";
import { loadContracts } from "../../src/sandbox/chain/contracts.ts";
import { argsOf, type Market, NCT, openMarket } from "../fixtures/contracts/market.ts";

const MINIMUM = 10_000_000n * NCT;
const MAXIMUM = 100_000_000n * NCT;

let market: Market;
let arbiter: Address;
let stranger: Address;
beforeAll(async () => {
  market = await openMarket();
  arbiter = market.arbiters[0]!;
  stranger = market.experts[0]!;
  await market.act(market.deployer, "mint", [arbiter, MAXIMUM], "token");
  await market.act(arbiter, "approve", [market.chain.contracts.staking.address, MAXIMUM], "token");
  await market.mark();
});
afterAll(() => market[Symbol.asyncDispose]());
beforeEach(() => market.goBack());

const deposit = (value: bigint) => market.act(arbiter, "deposit", [value], "staking");
const staked = (fn: string, account = arbiter) => market.read(fn, [account], "staking");

describe("an arbiter's stake", () => {
  it("is put in under the checks of the protocol", async () => {
    expect(await market.refusal(stranger, "deposit", [0n], "staking")).toBe(
      "Deposit target is not an arbiter",
    );
    expect(await market.refusal(arbiter, "deposit", [0n], "staking")).toBe("Zero value being deposited");
    expect(await market.refusal(arbiter, "deposit", [MAXIMUM - MINIMUM + 1n], "staking")).toBe(
      "Value greater than maximum stake",
    );
    await market.act(arbiter, "approve", [market.chain.contracts.staking.address, 0n], "token");
    expect(await market.refusal(arbiter, "deposit", [1n], "staking")).toBe("");
    await market.act(market.deployer, "pause", [], "staking");
    expect(await market.refusal(stranger, "deposit", [0n], "staking")).toBe("");
  });

  it("may reach the maximum, and makes the arbiter eligible from the minimum on", async () => {
    expect(await staked("balanceOf")).toBe(MINIMUM);
    expect(await staked("isEligible")).toBe(true);
    expect(await staked("isEligible", stranger)).toBe(false);
    const { logs } = await deposit(MAXIMUM - MINIMUM);
    expect(argsOf(logs, "NewDeposit")).toEqual({ from: arbiter, value: MAXIMUM - MINIMUM });
    expect(await staked("balanceOf")).toBe(MAXIMUM);
  });

  it("goes in with one transaction by approveAndCall", async () => {
    const { address } = market.chain.contracts.staking;
    const { logs } = await market.act(arbiter, "approveAndCall", [address, 5n * NCT, "0x"], "token");
    expect(argsOf(logs, "NewDeposit")).toEqual({ from: arbiter, value: 5n * NCT });
    expect(await market.refusal(stranger, "approveAndCall", [address, 1n, "0x"], "token")).toBe(
      "receiveApproval failed",
    );
    const { token } = market.chain.contracts;
    expect(
      await market.refusal(arbiter, "receiveApproval", [arbiter, 1n, token.address, "0x"], "staking"),
    ).toBe("Must be called from the token.");
  });

  it("comes out oldest first, 100 blocks after each deposit", async () => {
    expect(await market.refusal(stranger, "withdraw", [1n], "staking")).toBe(
      "Cannot withdraw without some deposits.",
    );
    const [since] = (await market.read("deposits", [arbiter, 0n], "staking")) as [bigint];
    await market.nextBlock(Number(since) + 50);
    await deposit(7n * NCT);
    await market.nextBlock(Number(since) + 100);
    expect(await market.refusal(arbiter, "withdraw", [MINIMUM], "staking")).toBe(
      "Value exceeds withdrawable balance",
    );
    await market.nextBlock(Number(since) + 101);
    expect(await staked("withdrawableBalanceOf")).toBe(MINIMUM);
    const { logs } = await market.act(arbiter, "withdraw", [MINIMUM - 3n], "staking");
    expect(argsOf(logs, "NewWithdrawal")).toEqual({ to: arbiter, value: MINIMUM - 3n });
    expect(await market.read("deposits", [arbiter, 0n], "staking")).toEqual([since, 3n]);
    await market.nextBlock(Number(since) + 151);
    await market.act(arbiter, "withdraw", [4n], "staking");
    expect(await market.read("deposits", [arbiter, 0n], "staking")).toEqual([since + 50n, 7n * NCT - 1n]);
    expect(await market.refusal(arbiter, "deposits", [arbiter, 1n], "staking")).toBe("invalid opcode");
  });

  it("is released when the registry's last bounty can have ended, unless the stakes roll over", async () => {
    const { block } = await market.act(market.deployer, "deprecate", [false]);
    await deposit(NCT);
    await market.nextBlock(block + 210);
    expect(await market.read("isDeprecateFinished", [], "staking")).toBe(false);
    await market.nextBlock(block + 211);
    expect(await market.read("isDeprecateFinished", [], "staking")).toBe(true);
    expect(await staked("withdrawableBalanceOf")).toBe(MINIMUM + NCT);
    await market.act(market.deployer, "undeprecate");
    await market.act(market.deployer, "deprecate", [true]);
    await market.nextBlock(block + 500);
    expect(await market.read("isDeprecateFinished", [], "staking")).toBe(false);
  });

  it("counts for nothing once fewer than nine of ten bounties were answered", async () => {
    const other = market.arbiters[1]!;
    const guids = Array.from({ length: 10 }, (_, index) => BigInt(index + 1));
    let open = 0;
    for (const guid of guids) open = await market.post(guid);
    await market.nextBlock(open + 10);
    for (const guid of guids) await market.act(other, "voteOnBounty", [guid, 1n, true]);
    for (const guid of guids.slice(0, 8)) await market.act(arbiter, "voteOnBounty", [guid, 1n, true]);
    expect(await staked("arbiterResponseRate")).toEqual([8n, 10n]);
    expect(await staked("isEligible")).toBe(false);
    await market.act(arbiter, "voteOnBounty", [9n, 1n, true]);
    expect(await staked("isEligible")).toBe(true);
  });

  it("is recorded by nobody but the registry", async () => {
    expect(await market.refusal(market.deployer, "recordBounty", [arbiter, 1n, 1n], "staking")).toBe("");
  });
});

describe("the token", () => {
  it("has the name, symbol and decimals of Nectar", async () => {
    const names = ["name", "symbol", "decimals", "transfersEnabled"].map((fn) =>
      market.read(fn, [], "token"),
    );
    expect(await Promise.all(names)).toEqual(["Nectar", "NCT", 18n, true]);
  });

  it("replaces an allowance, and is silent about what is lacking", async () => {
    await market.act(stranger, "approve", [arbiter, 5n], "token");
    await market.act(stranger, "approve", [arbiter, 3n], "token");
    expect(await market.read("allowance", [stranger, arbiter], "token")).toBe(3n);
    expect(await market.refusal(arbiter, "transferFrom", [stranger, arbiter, 4n], "token")).toBe("");
    expect(await market.refusal(market.deployer, "transfer", [stranger, 1n], "token")).toBe("");
    await market.act(arbiter, "transferFrom", [stranger, arbiter, 3n], "token");
    expect(await market.read("allowance", [stranger, arbiter], "token")).toBe(0n);
  });

  it("does not move before the owner enables transfers", async () => {
    const { abi } = market.chain.contracts.token;
    const { bytecode } = (await loadContracts()).NectarToken;
    const creation = { from: market.deployer, data: bytecode, gas: "0x989680", gasPrice: "0x0" };
    const hash = await market.chain.rpc("eth_sendTransaction", [creation]);
    // The receipt may be a moment behind the answer.
    const receiptOf = () => market.chain.rpc("eth_getTransactionReceipt", [hash]);
    await expect.poll(receiptOf).not.toBeNull();
    const receipt = await receiptOf();
    const { contractAddress } = receipt as { contractAddress: Address };
    const fresh = { abi, address: contractAddress };
    await market.chain.send(market.deployer, fresh, "mint", [market.deployer, 1n]);
    await expect(market.chain.send(market.deployer, fresh, "transfer", [stranger, 1n])).rejects.toMatchObject(
      {
        reason: "Transfers not enabled",
      },
    );
    await market.chain.send(market.deployer, fresh, "enableTransfers", []);
    await market.chain.send(market.deployer, fresh, "transfer", [stranger, 1n]);
  });

  it("says what moved before it says what is left of the allowance", async () => {
    const { logs } = await deposit(1n);
    expect(logs.map(({ event }) => event)).toEqual(["Transfer", "Approval", "NewDeposit"]);
  });

  it("lets transfers be enabled once", async () => {
    expect(await market.refusal(market.deployer, "enableTransfers", [], "token")).toBe("Transfers enabled");
  });

  it("is minted by minters alone", async () => {
    expect(await market.refusal(stranger, "mint", [stranger, 1n], "token")).toBe("");
    await market.act(market.deployer, "addMinter", [stranger], "token");
    await market.act(stranger, "mint", [stranger, 1n], "token");
  });
});

describe("the registry's offices", () => {
  it("belong to the accounts the owner appoints, and to no one else", async () => {
    const calls = [
      ["setBountyFee", [1n]],
      ["setAssertionFee", [1n]],
      ["setWindows", [1n, 1n]],
      ["setFeeManager", [stranger]],
      ["setWindowManager", [stranger]],
      ["deprecate", [true]],
      ["pause", []],
      ["addArbiter", [stranger, 0n]],
      ["removeArbiter", [arbiter, 0n]],
      ["addArbiterManager", [stranger]],
      ["addDeprecator", [stranger]],
      ["addPauser", [stranger]],
    ] as const;
    for (const [fn, args] of calls) expect(await market.refusal(stranger, fn, args), fn).toBe("");
    const { logs } = await market.act(market.deployer, "setFeeManager", [stranger]);
    expect(argsOf(logs, "NewFeeManager")).toEqual({ previousManager: market.deployer, newManager: stranger });
    await market.act(stranger, "setBountyFee", [1n]);
    expect(await market.refusal(market.deployer, "setBountyFee", [1n])).toBe("");
  });
});
