import { expect, it } from "vitest";
import type { ArtifactReference } from "../../src/domain/artifact.ts";
import { instant } from "../../src/domain/instant.ts";
import { jobsOf } from "../../src/producer/answering/artifact-in-work.ts";
import { encodeJob } from "../../src/queue/job-codec.ts";
import { aBounty, contentReference } from "../fixtures/bounties.ts";

const bounty = aBounty({ artifactCount: 3 });
const items = [
  { index: 0, asked: ["eicar"], answers: [], opinion: null },
  { index: 2, asked: ["eicar", "yara"], answers: [], opinion: null },
];
const jobs = (reference: (_: typeof bounty, index: number) => ArtifactReference) =>
  jobsOf(bounty, items, { deadline: instant(1), now: instant(0), maxSizeBytes: 1, reference });

it("jobs name an artifact of a bounty's set by its content address and its own index", () => {
  const content = (index: number) => ({ kind: "content", address: bounty.uri, index });
  const made = jobs(contentReference);
  expect(made.map(({ artifact }) => artifact)).toEqual([content(0), content(2), content(2)]);
  expect(() => made.map(encodeJob)).not.toThrow();
});

it("jobs name artifacts as their market does", () => {
  const url = (index: number) => ({ kind: "url" as const, url: `https://files.example/${index}` });
  const made = jobs((_, index) => url(index));
  expect(made.map(({ artifact }) => artifact)).toEqual([url(0), url(2), url(2)]);
  expect(() => made.map(encodeJob)).not.toThrow();
});
