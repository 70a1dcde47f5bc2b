import { Writable } from "node:stream";
import { pino } from "pino";
import { expect, it } from "vitest";
import { engineLog } from "../../src/demo/engine-log.ts";

it("the engine's entries stand in the demo's log at their own level, with their facts, and others do not", () => {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const show = engineLog(pino({ level: "info", name: "demo" }, sink));
  show({ msg: "bounty.seen", guid: "a", level: "info", time: "2020-01-01", pid: 7, artifacts: 2 });
  show({ msg: "market.frame", level: "debug" });
  show({ msg: "duty.failed", level: "warn", name: "producer", reason: "slow" });
  show({ msg: "no.level" });
  show({ msg: "odd.level", level: "loud" });
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 30, name: "demo", from: "engine", msg: "bounty.seen", guid: "a", artifacts: 2 },
    { level: 40, name: "demo", from: "engine", msg: "duty.failed", reason: "slow" },
  ]);
  expect(lines.join("")).not.toContain("2020-01-01");
});
