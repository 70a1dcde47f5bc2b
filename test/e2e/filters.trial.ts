import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import { EngineProcess, type Entry, producerFlags, temporaryFolder } from "./engine.ts";
import { deedsOnChain, EICAR, openMarket, readLedger } from "./market.ts";
import { microengine } from "./run-process.ts";
import { scrape } from "./scrape.ts";

const QUICK = { blockTimeMs: 400, revealWindow: 8, voteWindow: 8, rivals: 0 };
/** Three infected artifacts, of which the bounty says something each. */
const three = (mimetypes: readonly string[], duration = 16) => ({
  contents: [EICAR, Buffer.concat([EICAR, Buffer.from(" ")]), Buffer.concat([EICAR, Buffer.from("\n")])],
  truth: [true, true, true],
  claims: mimetypes.map((mimetype) => ({ mimetype })),
  duration,
  reward: nct(10n * ONE_NCT),
});

it.concurrent("a bounty of which the first artifact is filtered out is asserted on the others, and settled", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, QUICK);
  const words = ["--filter", "reject", "mimetype", "==", "text/html"];
  await using producer = new EngineProcess(
    [...producerFlags(sandbox.url, folder.path), "--embedded", "1", ...words],
    { CONFIDENCE: "penalize mimetype startswith image/" },
  );
  await producer.told("producer.ready");
  await producer.told("consumer.serving");
  const guid = await sandbox.postBounty(three(["text/html", "image/png", "text/plain"]));

  const [skipped] = await producer.told("artifact.skipped");
  expect(skipped).toMatchObject({
    guid,
    artifact: 0,
    why: "filtered",
    detail: "rejected by mimetype == text/html",
  });
  const [planned] = await producer.told("assertion.planned");
  expect(planned).toMatchObject({ artifacts: 2 });
  const [penalized, whole] = planned!.confidences as [number, number];
  expect(penalized - 0.5).toBeCloseTo(0.8 * (whole - 0.5));
  await producer.told("assertion.settled");
  const [listening] = await producer.told("http.listening");
  const metrics = await scrape(Number(listening?.port));
  expect(metrics("artifacts_skipped_total", { why: "filtered" })).toBe(1);

  expect(await producer.kill("SIGTERM")).toBe(0);
  expect(
    producer.entries.filter(({ msg }) => msg === "artifact.answered").map(({ artifact }) => artifact),
  ).toEqual(expect.not.arrayContaining([0]));
  const logs = await sandbox.chain.logs(0, await sandbox.chain.head());
  const [assertion] = logs.filter(({ event }) => event === "NewAssertion");
  expect(BigInt(String(assertion?.args.mask))).toBe(0b110n);
  const [revealed] = logs.filter(({ event }) => event === "RevealedAssertion");
  expect(BigInt(String(revealed?.args.verdicts))).toBe(0b110n);
  expect(await deedsOnChain(sandbox)).toEqual({ asserted: 1, revealed: 1, settled: 1 });
  expect(readLedger(folder.path)).toMatchObject({ asserted: 1, settled: 1, right: 2, wrong: 0 });

  using ledger = new DatabaseSync(join(folder.path, "data", "ledger.sqlite"), { readOnly: true });
  // What was thought, and what was bid on.
  const artifacts = ledger.prepare("SELECT triage, confidence_ppm FROM artifact ORDER BY position").all();
  const thought = Math.round(whole * 1e6);
  expect(artifacts).toEqual([
    { triage: "filtered", confidence_ppm: null },
    { triage: "scan", confidence_ppm: thought },
    { triage: "scan", confidence_ppm: thought },
  ]);
  const promised = ledger.prepare("SELECT confidences, bids FROM assertion").get();
  const [lower, upper] = (JSON.parse(String(promised?.bids)) as string[]).map(
    (bid) => Number(bid) / 1e18 - 0.0625,
  );
  expect(lower! / upper!).toBeCloseTo(0.8, 4);
  expect(promised).toMatchObject({
    confidences: JSON.stringify([Math.round(500_000 + 0.8 * (thought - 500_000)), thought]),
  });
});

it.concurrent("a day's last artifacts are scanned, the others left alone, and rate-limited answers do not hold a bounty up", async () => {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, QUICK);
  await using producer = new EngineProcess([...producerFlags(sandbox.url, folder.path), "--embedded", "2"], {
    RATE_LIMIT: "5",
    DAILY_RATE_LIMIT: "4",
  });
  await producer.told("producer.ready");
  await producer.told("consumer.serving");
  const first = await sandbox.postBounty(three(["a/a", "b/b", "c/c"], 24));
  await producer.told("artifact.answered", 3, ({ guid }) => guid === first);
  const second = await sandbox.postBounty(three(["a/a", "b/b", "c/c"], 24));
  const ofSecond = ({ guid }: Entry) => guid === second;

  const [skipped] = await producer.told("artifact.skipped");
  expect(skipped).toMatchObject({ guid: second, artifact: 2, why: "rate-limited" });
  expect(skipped?.detail).toMatch(/^5 a day are used up; there is room in \d+ s$/);
  const answers = await producer.told("artifact.answered", 2, ofSecond);
  expect(answers.map(({ verdict, why }) => why ?? verdict).toSorted()).toEqual(["malicious", "rate-limited"]);
  const [planned] = await producer.told("assertion.planned", 1, ofSecond);
  expect(planned).toMatchObject({ artifacts: 1 });
  // Nobody waited for an answer that was not to come.
  expect(producer.entries.filter(({ msg }) => msg === "backend.silent")).toEqual([]);
});

it.concurrent.each([
  [["--filter", "reject", "mimetype", "=", "text/html"], /must be a condition with one of the comparisons/],
  [["--filter", "reject", "filesize", "<", "big"], /must be a condition with a number behind </],
  [["--filter", "reject filename regex (a+"], /regular expression that can be used: a "\)" is missing/],
  [["--confidence", "favor", "mimetype"], /must be favor\|penalize FIELD COMPARISON VALUE/],
])("%j ends in one line and exit code 2", async (words, why) => {
  const { code, stderr } = await microengine(["producer", ...words]);
  expect(code).toBe(2);
  expect(stderr).toMatch(why);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});
