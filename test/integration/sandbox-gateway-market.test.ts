import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eth } from "web3";
import { sameAddress } from "../../src/domain/address.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import { createLogger } from "../../src/observe/log.ts";
import { EICAR } from "../../src/sandbox/samples/samples.ts";
import { STARTING_BALANCE, startSandbox } from "../../src/sandbox/sandbox.ts";
import type { SandboxOptions } from "../../src/sandbox/sandbox-options.ts";
import { temporaryFolder } from "../e2e/engine.ts";
import { paced } from "../fixtures/busy-machine.ts";
import { ask, listen, playerAt } from "../fixtures/sandbox-gateway-client.ts";

const OPTIONS: SandboxOptions = {
  blockTimeMs: paced(100),
  durationBlocks: 16,
  revealWindow: 16,
  voteWindow: 20,
  arbiters: 3,
  rivals: 2,
  rivalAccuracy: 1,
  rivalStakeNct: nct(ONE_NCT / 2n),
  bountyIntervalMs: paced(200),
  bounties: 2,
  artifactsPerBounty: 2,
  rewardNct: nct(5n * ONE_NCT),
  seed: 7,
  logger: createLogger({ level: "silent", format: "json", name: "sandbox" }),
};

// Each has a chain of its own and mostly waits for its blocks.
describe.concurrent("a sandbox", () => {
  it("posts its bounties, has them answered by its rivals and is done when everybody settled", async () => {
    await using sandbox = await startSandbox(OPTIONS);
    const reader = playerAt(sandbox.url);
    await sandbox.done;

    const { bounties, engines } = sandbox.report();
    expect(bounties).toBe(2);
    expect(engines.map(({ account }) => account).toSorted()).toEqual(
      sandbox.chain.accounts.rivals.toSorted(),
    );
    for (const engine of engines) {
      expect(engine).toMatchObject({ asserted: 2, revealed: 2, settled: 2, right: 4, wrong: 0 });
      expect(engine.staked).toBe(2n * ONE_NCT);
      // Their stakes come back, and two of them share ten NCT of rewards.
      expect(engine.paid).toBe(7n * ONE_NCT);
    }

    const guids = (await reader.get("/bounties")).body.result as string[];
    expect(guids).toHaveLength(2);
    for (const guid of guids) {
      const { uri, metadata } = (await reader.get(`/bounties/${guid}`)).body.result as {
        uri: string;
        metadata: { filename: string }[];
      };
      expect(metadata).toHaveLength(2);
      const truth = sandbox.truthOf(guid as never);
      const carries = [0, 1].map((index) => Buffer.from(sandbox.store.get(uri, index)!).includes(EICAR));
      expect(carries).toEqual(truth);
    }
  });

  it("waits for somebody to listen when it is told to, so that no bounty is missed", async () => {
    await using sandbox = await startSandbox({ ...OPTIONS, opens: "when-heard", bounties: 1, rivals: 0 });
    const before = await sandbox.chain.head();
    using events = await listen(sandbox.url);
    const { block_number: postedIn } = await events.until(({ event }) => event === "bounty");
    expect(postedIn).toBeGreaterThan(before);
    await sandbox.done;
    expect(sandbox.report()).toEqual({ bounties: 1, engines: [] });
  });

  it("posts nothing until it is opened, and then under GUIDs that no earlier run had", async () => {
    const firstGuid = async (): Promise<unknown> => {
      await using sandbox = await startSandbox({ ...OPTIONS, opens: "when-told", rivals: 0, arbiters: 1 });
      using events = await listen(sandbox.url);
      const { data } = await events.until(({ event }) => event === "block");
      await events.until(
        (later) => later.event === "block" && Number(later.data.number) > Number(data.number) + 3,
      );
      expect(events.heard.map(({ event }) => event)).not.toContain("bounty");
      sandbox.open();
      return (await events.until(({ event }) => event === "bounty")).data.guid;
    };
    expect(await firstGuid()).not.toBe(await firstGuid());
  });

  it("is not done before the last engine that asserted has settled", async () => {
    await using sandbox = await startSandbox({
      ...OPTIONS,
      opens: "when-told",
      rivals: 0,
      bounties: 1,
    });
    let isDone = false;
    const done = sandbox.done.then(() => {
      isDone = true;
    });
    using events = await listen(sandbox.url);
    const expert = playerAt(sandbox.url);
    await sandbox.chain.fund(expert.address as never, STARTING_BALANCE);
    sandbox.open();
    const { data } = await events.until(({ event }) => event === "bounty");
    const assertion = { bid: [ONE_NCT.toString()], mask: [true, false], commitment: "1" };
    expect((await expert.act(`/bounties/${data.guid}/assertions`, assertion)).status).toBe(200);

    const settled = await events.until(({ event }) => event === "settled_bounty");
    await events.until(
      (later) => later.event === "block" && Number(later.data.number) > Number(settled.block_number) + 2,
    );
    expect(isDone).toBe(false);
    expect((await expert.act(`/bounties/${data.guid}/settle`)).status).toBe(200);
    await done;
  });

  it("posts a bounty of one's own making, and its arbiters vote the truth that came with it", async () => {
    await using sandbox = await startSandbox({ ...OPTIONS, opens: "when-told", rivals: 0 });
    using events = await listen(sandbox.url);
    const truth = [true, false, true];
    const guid = await sandbox.postBounty({
      contents: ["a", "", "c"].map((text) => Buffer.from(text)),
      truth,
      duration: 3,
      reward: nct(6n * ONE_NCT),
    });
    expect(sandbox.truthOf(guid)).toEqual(truth);
    const vote = await events.until(({ event }) => event === "vote");
    expect(vote.data).toMatchObject({ bounty_guid: guid, votes: truth });
    const settled = await events.until(({ event }) => event === "settled_bounty");
    expect(settled.data.settler).toBe(sandbox.chain.accounts.ambassador);
  });

  it("tells what is odd on chain as it is: a URI that is none, metadata that is text, a mask too long", async () => {
    await using sandbox = await startSandbox({ ...OPTIONS, opens: "when-told", rivals: 0, arbiters: 1 });
    using events = await listen(sandbox.url);
    const expert = playerAt(sandbox.url);
    await sandbox.chain.fund(expert.address as never, STARTING_BALANCE);
    const plain = { contents: [Buffer.from("x")], truth: [true], duration: 20, reward: nct(2n * ONE_NCT) };

    const guid = await sandbox.postBounty({ ...plain, uri: "https://0.example", metadata: "a word of 0" });
    const told = await events.until(({ data }) => data.guid === guid);
    expect(told.data).toMatchObject({ uri: "https://0.example", metadata: "a word of 0" });
    const read = await expert.get(`/bounties/${guid}`);
    expect(read.status).toBe(500);
    expect(Object.keys(read.body)).toEqual(["message"]);

    const bid = [ONE_NCT.toString(), ONE_NCT.toString()];
    const assertion = { bid, mask: [true, false, true, false], commitment: "1" };
    const { body } = await expert.act(`/bounties/${guid}/assertions`, assertion);
    expect(body.result).toMatchObject({ assertions: [{ mask: [true, false, true], bid }] });
    expect((await expert.get(`/bounties/${guid}/assertions/0`)).body.result).toMatchObject({
      mask: [true, false, true],
      verdicts: [false],
      bid,
    });
  });

  it("sees a bounty of 256 artifacts through, one of them 30 MiB and one empty", async () => {
    await using sandbox = await startSandbox({ ...OPTIONS, opens: "when-told", rivals: 1, revealWindow: 20 });
    using events = await listen(sandbox.url);
    const large = Buffer.alloc(30 * 1024 * 1024, "large");
    const contents = Array.from({ length: 254 }, (_, index) => Buffer.from(`artifact ${index}`));
    const truth = Array.from({ length: 256 }, (_, index) => index % 3 === 0);
    const guid = await sandbox.postBounty({
      contents: [large, Buffer.alloc(0), ...contents],
      truth,
      duration: 20,
      reward: nct(512n * ONE_NCT),
    });
    const reader = playerAt(sandbox.url);
    const { uri, num_artifacts: count } = (await reader.get(`/bounties/${guid}`)).body.result as {
      uri: string;
      num_artifacts: number;
    };
    expect(count).toBe(256);
    expect((await ask("GET", `${sandbox.url}/artifacts/${uri}`)).body.result).toHaveLength(256);
    const fetched = await Promise.all(
      [0, 1, 255].map(async (index) => (await fetch(`${sandbox.url}/artifacts/${uri}/${index}`)).bytes()),
    );
    expect(fetched.map(({ length }) => length)).toEqual([large.length, 0, "artifact 253".length]);
    expect(large.equals(fetched[0]!)).toBe(true);

    const assertion = await events.until(({ event }) => event === "assertion");
    expect(assertion.data.mask).toEqual(truth.map(() => true));
    expect((await events.until(({ event }) => event === "reveal")).data.verdicts).toEqual(truth);
    const [rival] = sandbox.chain.accounts.rivals;
    const settled = await events.until(
      ({ event, data }) => event === "settled_bounty" && data.settler === rival,
    );
    // Alone and right: the whole reward, and 256 stakes of half an NCT.
    expect(settled.data.payout).toBe(640n * ONE_NCT);
  });

  it("makes and funds a wallet, keeps it the next time, and funds whom it is told to", async () => {
    using folder = temporaryFolder();
    const walletDir = join(folder.path, "wallet");
    const friend = eth.accounts.create().address as never;
    const start = () => startSandbox({ ...OPTIONS, rivals: 0, bounties: 0, walletDir, fund: [friend] });
    const balanceOf = async (url: string, account: string) =>
      (await ask("GET", `${url}/balances/${account}/nct`)).body.result;

    await using first = await start();
    expect(await balanceOf(first.url, first.account!)).toBe(STARTING_BALANCE.toString());
    expect(await balanceOf(first.url, friend)).toBe(STARTING_BALANCE.toString());
    const keyfile = await readFile(join(walletDir, "keyfile"), "utf8");
    const password = await readFile(join(walletDir, "password"), "utf8");
    const unlocked = await eth.accounts.decrypt(JSON.parse(keyfile), password);
    expect(sameAddress(unlocked.address, first.account!)).toBe(true);
    expect((await stat(join(walletDir, "keyfile"))).mode & 0o777).toBe(0o600);

    await using second = await start();
    expect(sameAddress(second.account!, first.account!)).toBe(true);
    expect(await balanceOf(second.url, second.account!)).toBe(STARTING_BALANCE.toString());
  });

  it("refuses a duration the contract would refuse, and a folder without artifacts, before it starts a chain", async () => {
    using folder = temporaryFolder();
    await expect(startSandbox({ ...OPTIONS, durationBlocks: 101 })).rejects.toMatchObject({
      code: "DURATION_OUT_OF_RANGE",
    });
    await expect(startSandbox({ ...OPTIONS, artifactsDir: folder.path })).rejects.toMatchObject({
      code: "CORPUS_EMPTY",
    });
  });
});
