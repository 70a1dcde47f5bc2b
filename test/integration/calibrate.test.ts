import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { microengine } from "../e2e/run-process.ts";
import { settledLedger } from "../fixtures/settled-ledger.ts";

const folder = mkdtempSync(join(tmpdir(), "microengine-calibrate-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "ledger.sqlite");

it("prints, while the ledger is at work, how far verdicts and backends can be believed", async () => {
  using _producers = settledLedger(file, 400);
  const { code, stdout, stderr } = await microengine(["calibrate", "--data-dir", folder]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^400 settled artifacts, \d+ of them malicious\.$/m);
  expect(stdout).toMatch(/^ {2}confidence +given +mean stated +right$/m);
  expect(stdout).toMatch(/^ {2}0\.95 to 1\.00 +\d+ +0\.9\d\d +[01]\.\d{3}$/m);
  expect(stdout).toMatch(/^ {2}bayes, in hindsight +400 +0\.0\d{3} +0\.\d{4} +0\.\d{4}$/m);
  expect(stdout).toMatch(/^ {2}quiet +document +\d+ +0\.\d{3} \(0\.\d{3} to 0\.\d{3}\) of \d+/m);
  expect(stdout.split("\n").every((line) => line.length <= 110 && line === line.trimEnd())).toBe(true);

  const json = JSON.parse(
    (await microengine(["calibrate", "--data-dir", folder, "--json", "--newest", "50"])).stdout,
  );
  expect(json).toMatchObject({ settled: 50, bayes: { count: 50 } });
  expect(json.given.bins[0]).toEqual({
    from: expect.any(Number),
    count: expect.any(Number),
    stated: expect.any(Number),
    right: expect.any(Number),
  });
  const quiet = json.backends.find((one: { backend: string }) => one.backend === "quiet");
  expect(quiet).toMatchObject({
    types: "all",
    heard: 50,
    sensitivity: { interval: [expect.any(Number), expect.any(Number)] },
  });
});

it("says in one line that nothing was settled yet", async () => {
  const empty = join(folder, "empty");
  settledLedger(join(empty, "ledger.sqlite"), 0)[Symbol.dispose]();
  const ended = await microengine(["calibrate"], { DATA_DIR: empty });
  expect(ended).toEqual({
    code: 0,
    stderr: "",
    stdout: "No bounty with a known truth is in the ledger yet: there is nothing to calibrate on.\n",
  });
  const { code, stdout } = await microengine(["calibrate", "--json"], { DATA_DIR: empty });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ settled: 0, malicious: 0, given: null, bayes: null, backends: [] });
});

it("names the ledger that is not there, in one line, and ends with 2", async () => {
  const { code, stdout, stderr } = await microengine(["calibrate", "--data-dir", join(folder, "nowhere")]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^microengine: There is no ledger .*nowhere.ledger\.sqlite\. --data-dir .*\n$/);
});
