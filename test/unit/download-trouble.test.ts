import { expect, it } from "vitest";
import { downloadTeller } from "../../src/consumer/download-trouble.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import type { Logger } from "../../src/observe/log.ts";

const guid = parseGuid("00000000-0000-0000-0000-000000000001");

function listening() {
  const said: [string, object][] = [];
  const say = (facts: object, event: string) => void said.push([event, facts]);
  const tell = downloadTeller("http://gateway", { info: say, warn: say } as unknown as Logger);
  const lost = (artifactIndex: number) =>
    tell({ guid, artifactIndex, reason: "download-failed", detail: "The gateway answers 404." });
  const had = (artifactIndex: number) => tell({ guid, artifactIndex, sha256: "00" });
  return { said, lost, had };
}

it("three artifacts in a row that cannot be had are told once, with what to check, and that it is over", () => {
  const { said, lost, had } = listening();
  for (const artifact of [1, 2, 3, 4, 5]) lost(artifact);
  expect(said).toEqual([
    [
      "download.trouble",
      expect.objectContaining({ reason: "The gateway answers 404.", gateway: "http://gateway" }),
    ],
  ]);
  had(6);
  had(7);
  expect(said.map(([event]) => event)).toEqual(["download.trouble", "download.recovered"]);
});

it("single artifacts that cannot be had, and one that several backends ask for, are no trouble", () => {
  const { said, lost, had } = listening();
  for (const artifact of [1, 1, 1, 2]) lost(artifact);
  had(3);
  for (const artifact of [4, 5]) lost(artifact);
  expect(said).toEqual([]);
});
