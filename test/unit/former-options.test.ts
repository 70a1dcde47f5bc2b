import { expect, it } from "vitest";
import { consumerSettings } from "../../src/config/commands/consumer.ts";
import { producerSettings } from "../../src/config/commands/producer.ts";
import { sandboxSettings } from "../../src/config/commands/sandbox.ts";
import { adviceFor, adviceForCommand } from "../../src/config/former-options.ts";
import { resolveBackend } from "../../src/scanners/registry.ts";

const KNOWN = [producerSettings, consumerSettings, sandboxSettings].flatMap((table) =>
  Object.values(table).map(({ flag }) => flag),
);

it.each([
  ["--accept", "--filter accept FIELD == VALUE"],
  ["--exclude=mimetype:text/html", "--filter reject FIELD == VALUE"],
  ["--scan_time_requirement", "--scan-time-requirement"],
  ["--tasks", "--scan-limit"],
  ["--client-log", "--log"],
  ["--insecure-transport", "--polyswarmd-addr"],
  ["--testing", "sandbox --bounties"],
  ["--submission-rate", "sandbox --bounty-interval"],
])("the option %s of today's engines is answered with what there is instead", (option, instead) => {
  const advice = adviceFor(`error: unknown option '${option}'`);
  expect(advice).toContain(instead);
  const flags = [...advice!.matchAll(/--([a-z-]+)/g)].map(([, flag]) => flag!);
  expect(KNOWN).toEqual(expect.arrayContaining(flags));
});

it("other options that nobody knows are left to speak for themselves", () => {
  for (const option of ["--acceptance", "--constructor", "-x"])
    expect(adviceFor(`unknown option '${option}'`)).toBeUndefined();
});

it.each([
  ["microengine", "producer"],
  ["worker", "consumer"],
  ["balancemanager", "fund the wallet"],
  ["liveness", "/healthz"],
  ["liveliness", "/healthz"],
  ["arbiter", "sandbox"],
  ["ambassador", "sandbox"],
  ["Worker.exe", "consumer"],
])("the command %s of today's engines is answered with what there is instead", (command, instead) => {
  expect(adviceForCommand(command)).toContain(instead);
});

it.each([
  ["producer", "The command is producer"],
  ["multi", "--backend clamav --backend yara"],
  ["scanner:Scanner", "docs/backend-exec.md"],
  ["my_engine.scanner", "docs/backend-exec.md"],
  ["./scanner.py", "docs/backend-exec.md"],
  ["C:\\engine\\scanner.py", "docs/backend-exec.md"],
])("the backend %s of today's engines is answered with what there is instead", (spec, instead) => {
  expect(() => resolveBackend(spec)).toThrow(
    expect.objectContaining({ hint: expect.stringContaining(instead) }),
  );
});

it("other commands and backends are left to speak for themselves", () => {
  for (const command of ["constructor", "scan", "work"]) expect(adviceForCommand(command)).toBeUndefined();
  for (const spec of ["./scanner.ts", "./a.b.json", "file:///a/scanner.mjs", "mine.js"])
    expect(resolveBackend(spec).spec).toBe(spec);
  expect(() => resolveBackend("norton")).toThrow(/There is no backend "norton"\./);
});
