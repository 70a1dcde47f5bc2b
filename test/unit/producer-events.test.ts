import { expect, it } from "vitest";
import { parseGuid } from "../../src/domain/guid.ts";
import type { ProcessLog } from "../../src/observe/log.ts";
import { tellLog } from "../../src/producer/events/events.ts";

it("a backend that stays silent is warned of once, until it has answered", () => {
  const guid = parseGuid("00000000-0000-0000-0000-000000000001");
  const said: string[] = [];
  const log = {
    warn: (facts: { backend: string }, event: string) => void said.push(`${event} ${facts.backend}`),
    debug: () => {},
  };
  const tell = tellLog(log as unknown as ProcessLog);
  const silent = (backend: string) => tell("backend.silent", { guid, backend, jobs: 1 });
  for (const backend of ["yara", "yara", "clamav", "yara"]) silent(backend);
  expect(said).toEqual(["backend.silent yara", "backend.silent clamav"]);
  tell("artifact.answered", {
    guid,
    artifact: 0,
    backend: "yara",
    verdict: "unknown",
    confidence: 0,
    scanMs: 1,
  });
  for (const backend of ["yara", "clamav"]) silent(backend);
  expect(said).toEqual(["backend.silent yara", "backend.silent clamav", "backend.silent yara"]);
});

it("what a kind of marketplace tells of its own has the level that this kind gives it", () => {
  const said: string[] = [];
  const levels = { warn: 0, info: 0 };
  const log = Object.fromEntries(
    Object.keys(levels).map((level) => [level, (_: object, event: string) => said.push(`${level} ${event}`)]),
  );
  const tell = tellLog(log as unknown as ProcessLog, { "market.flooded": "warn" });
  for (const event of ["market.flooded", "market.dried"]) tell(event as never, {} as never);
  expect(said).toEqual(["warn market.flooded", "info market.dried"]);
});
