import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it } from "vitest";
import { describeError } from "../../src/domain/fault.ts";
import { parseGuid } from "../../src/domain/guid.ts";
import { parseNct } from "../../src/domain/nct.ts";
import { consumerMetrics, countAnswer } from "../../src/observe/consumer-metrics.ts";
import { type HealthOptions, serveHealth } from "../../src/observe/health.ts";
import { createLogger } from "../../src/observe/log.ts";
import { createRegistry, nctNumber } from "../../src/observe/metrics.ts";
import { producerMetrics, setBacklog } from "../../src/observe/producer-metrics.ts";

const log = createLogger({ level: "silent", format: "json", name: "test" });
const serve = (options: Partial<HealthOptions> = {}) =>
  serveHealth({
    host: "127.0.0.1",
    port: 0,
    log,
    live: () => ({}),
    ready: () => ({}),
    metrics: createRegistry("test"),
    ...options,
  });
const get = (port: number, path: string) => fetch(`http://127.0.0.1:${port}${path}`);

describe("health over HTTP", () => {
  it("is 200 while every check is well and 503 with the one that is not", async () => {
    let redis = true;
    await using server = await serve({
      ready: () => ({ market: { ok: true }, redis: { ok: redis, detail: "localhost:6379" } }),
    });
    expect((await get(server.port, "/readyz")).status).toBe(200);
    redis = false;
    const unready = await get(server.port, "/readyz");
    expect(unready.status).toBe(503);
    expect(await unready.json()).toEqual({
      ok: false,
      checks: { market: { ok: true }, redis: { ok: false, detail: "localhost:6379" } },
    });
    expect((await get(server.port, "/healthz")).status).toBe(200);
  });

  it("takes a check that throws for one that failed", async () => {
    await using server = await serve({ live: () => Promise.reject(new Error("ledger is gone")) });
    const response = await get(server.port, "/healthz");
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("ledger is gone");
  });

  it("names the flag to change when the port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const refused = await serve({ port }).catch((error: unknown) => error);
    expect(describeError(refused)).toMatch(
      new RegExp(`127.0.0.1:${port}.*--http-port \\(variable HTTP_PORT\\)`),
    );
    other.close();
  });

  it("names the flag to change when the host is not of this machine", async () => {
    const refused = await serve({ host: "192.0.2.1" }).catch((error: unknown) => error);
    expect(describeError(refused)).toContain("--http-host (variable HTTP_HOST)");
  });

  it("ends although a scraper keeps its connection open", async () => {
    const server = await serve();
    const scraper = connect(server.port, "127.0.0.1");
    await once(scraper, "connect");
    scraper.write("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n");
    await once(scraper, "data");
    const closed = once(scraper, "close");
    await server[Symbol.asyncDispose]();
    await closed;
  });

  it("ends although a request never comes to its end, and another is never answered", async () => {
    const asked = Promise.withResolvers<void>();
    const server = await serve({
      live: () => {
        asked.resolve();
        return new Promise(() => {});
      },
    });
    const connections = [connect(server.port, "127.0.0.1"), connect(server.port, "127.0.0.1")] as const;
    const closed = connections.map((connection) =>
      once(
        connection.on("error", () => {}),
        "close",
      ),
    );
    await Promise.all(connections.map((connection) => once(connection, "connect")));
    const [unfinished, unanswered] = connections;
    unfinished.write("GET /readyz HTTP/1.1\r\nHost: x\r\n");
    unanswered.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    await asked.promise;
    await server[Symbol.asyncDispose]();
    await Promise.all(closed);
  });
});

describe("metrics over HTTP", () => {
  it("show what a producer counted, brought up to date for the scrape, next to the process's own", async () => {
    const registry = createRegistry("producer");
    const metrics = producerMetrics(registry);
    setBacklog(metrics, { retired: 9 });
    await using server = await serve({
      metrics: registry,
      refresh: () => {
        setBacklog(metrics, { eicar: 3 });
        metrics.atRiskNct.set(nctNumber(parseNct("1.5")));
        metrics.profitNct.set(nctNumber(-parseNct("0.25")));
      },
    });
    metrics.bountiesAbandoned.inc({ why: "balance" });
    metrics.scanAnswers.inc({ backend: "eicar", verdict: "unknown", reason: "timeout" });
    metrics.assertionSeconds.observe(0.02);

    const response = await get(server.port, "/metrics");
    expect(response.headers.get("content-type")).toContain("text/plain");
    const lines = (await response.text()).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        'microengine_queue_backlog{backend="eicar",role="producer"} 3',
        'microengine_stake_at_risk_nct{role="producer"} 1.5',
        'microengine_profit_nct{role="producer"} -0.25',
        'microengine_bounties_abandoned_total{why="balance",role="producer"} 1',
        'microengine_scan_answers_total{backend="eicar",verdict="unknown",reason="timeout",role="producer"} 1',
        'microengine_bounty_to_assertion_seconds_bucket{le="0.025",role="producer"} 1',
        expect.stringMatching(/^process_cpu_seconds_total\{/),
      ]),
    );
    expect(lines.join()).not.toContain("retired");
  });

  it("show a consumer's answers by backend, verdict and reason, with the time of each stage", async () => {
    const registry = createRegistry("consumer");
    const metrics = consumerMetrics(registry);
    countAnswer(metrics, {
      jobId: "job",
      guid: parseGuid("00000000-0000-0000-0000-000000000001"),
      artifactIndex: 0,
      backend: "eicar",
      verdict: "malicious",
      confidence: 1,
      metadata: {},
      types: [],
      sizeBytes: 68,
      timings: { queuedMs: 2, fetchMs: 30, scanMs: 4 },
      consumer: "consumer-1",
    });
    const text = await registry.metrics();
    expect(text).toContain(
      'microengine_answers_total{backend="eicar",verdict="malicious",reason="",role="consumer"} 1',
    );
    expect(text).toMatch(/^microengine_stage_seconds_sum\{[^}]*stage="fetch"[^}]*\} 0\.03$/m);
    expect(text).toContain('microengine_scanned_bytes_total{backend="eicar",role="consumer"} 68');
  });

  it("are served half-fresh rather than not at all when they cannot be brought up to date", async () => {
    await using server = await serve({ refresh: () => Promise.reject(new Error("Redis is away")) });
    expect((await get(server.port, "/metrics")).status).toBe(200);
  });
});
