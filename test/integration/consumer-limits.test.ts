import { expect, it } from "vitest";
import { openConsumer } from "../../src/consumer/consumer.ts";
import { createLogger } from "../../src/observe/log.ts";
import { content, openGateway } from "./consumer-gateway.ts";
import { DirectWork } from "./consumer-work.ts";

const log = createLogger({ level: "silent", format: "json", name: "test" });

it("a consumer has as many jobs as the larger limit, and answers at once what its limits do not let it scan", async () => {
  await using gateway = await openGateway({ QmSay: content("nothing in here") });
  await using consumer = await openConsumer({
    terms: {
      polyswarmdAddr: gateway.base,
      allowKeyOverHttp: false,
      backends: ["eicar"],
      scanLimit: 1,
      downloadLimit: 4,
      rateLimits: { day: 3 },
      scanTimeRequirementMs: 5_000,
      maxArtifactSize: 1_000,
      name: "test-consumer",
    },
    log,
  });
  const work = new DirectWork();
  const stop = new AbortController();
  const served = consumer.serve(work, stop.signal);
  await work.serving;
  expect(work.served?.concurrency).toBe(4);

  const late = await work.ask({ backend: "eicar", uri: "QmSay", inMs: 4_000 });
  expect(late).toMatchObject({ reason: "expired", timings: { fetchMs: 0 } });
  expect(late.detail).toMatch(/ms are left, a scan wants 5000/);

  const asked = Array.from({ length: 6 }, () => work.ask({ backend: "eicar", uri: "QmSay", inMs: 20_000 }));
  const reasons = (await Promise.all(asked)).map(({ reason }) => reason);
  expect(reasons.toSorted()).toEqual([
    ...["no-match", "no-match", "no-match", "rate-limited", "rate-limited", "rate-limited"],
  ]);
  stop.abort();
  await served;
});
