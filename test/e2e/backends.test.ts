import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, readLedger, skipToReveals, skipToVotes, WIDE } from "./market.ts";

const scanner = (name: string): readonly string[] => [
  "--backend",
  fileURLToPath(new URL(`../fixtures/scanners/${name}.ts`, import.meta.url)),
];
const CLEAN = Buffer.from("nothing to see here\n");

describe("a mixed bounty before three backends, of which one hangs, one crashes and one answers", () => {
  const folder = temporaryFolder();
  let sandbox: Sandbox;
  let producer: EngineProcess;

  beforeAll(async () => {
    sandbox = await openMarket(folder.path, {
      rivals: 0,
      revealWindow: WIDE.revealWindow,
      voteWindow: WIDE.voteWindow,
    });
    producer = new EngineProcess([
      ...producerFlags(sandbox.url, folder.path),
      ...["hangs", "crashes", "answers"].flatMap(scanner),
      ...["--embedded", "1"],
    ]);
    await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
  });
  afterAll(async () => {
    await producer[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  it("is asserted in time on the answer, and settled right", async () => {
    const contents = [EICAR, CLEAN, Buffer.concat([EICAR, CLEAN])];
    const guid = await sandbox.postBounty({
      contents,
      truth: [true, false, true],
      duration: 24,
      reward: nct(10n * ONE_NCT),
    });
    const ours = { guid } as const;
    const [planned] = await producer.told("assertion.planned");
    expect(planned).toMatchObject({ ...ours, artifacts: 3 });
    await producer.told("assertion.posted");
    await skipToReveals(sandbox);
    await producer.told("assertion.revealed");
    await skipToVotes(sandbox);
    await producer.told("assertion.settled");

    const answers = producer.entries.filter(({ msg }) => msg === "artifact.answered");
    const reasons = Object.groupBy(answers, ({ backend }) => String(backend));
    expect(reasons.answers?.map(({ verdict }) => verdict).toSorted()).toEqual([
      ...["benign", "malicious", "malicious"],
    ]);
    expect(reasons.crashes?.map(({ why }) => why)).toContain("crashed");
    // Most never answer, and nobody waits for them.
    expect((reasons.hangs ?? []).filter(({ verdict }) => verdict !== "unknown")).toEqual([]);
    expect(await deedsOnChain(sandbox)).toEqual({ asserted: 1, revealed: 1, settled: 1 });
    expect(readLedger(folder.path)).toMatchObject({ asserted: 1, settled: 1, right: 3, wrong: 0 });
  });
});
