import { expect, it } from "vitest";
import { soak } from "./soak.ts";

it("a consumer survives hostile files through every kind of backend, and answers every job", async () => {
  const report = await soak({ scans: 300, early: 150, maxFileBytes: 100_000 });
  expect(report.answers).toBe(300);
  expect(report.consumers).toBe(1);
  expect(report.backends).toEqual(expect.arrayContaining(["eicar", "yara", "grep", "service"]));
  expect(Object.keys(report.outcomes)).toEqual(
    expect.arrayContaining(["eicar malicious", "grep malicious", "service no-match"]),
  );
  const failed = Object.entries(report.outcomes).filter(([outcome]) =>
    /crashed|out-of-memory|timeout|expired|download-failed/.test(outcome),
  );
  expect(failed).toEqual([]);
});
