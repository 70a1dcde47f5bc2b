import { expect, it } from "vitest";
import { consumerSettings } from "../../src/config/consumer.ts";
import { adviceFor } from "../../src/config/former-options.ts";
import { producerSettings } from "../../src/config/producer.ts";
import { sandboxSettings } from "../../src/config/sandbox.ts";

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
