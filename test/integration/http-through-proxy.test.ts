import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { openArtifactSource } from "../../src/consumer/fetch-artifact.ts";
import { parseAddress } from "../../src/domain/address.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { type HttpProxy, proxyFor } from "../../src/http/proxy.ts";
import { resendReveals } from "../../src/market/onchain/early/resend-reveals.ts";
import { Gateway } from "../../src/market/onchain/http/http.ts";
import { EventStream, eventsUrl } from "../../src/market/onchain/stream/event-stream.ts";
import { createLogger } from "../../src/observe/log.ts";
import { createKeystore } from "../../src/wallet/keystore.ts";
import { microengine } from "../e2e/run-process.ts";
import { ProxyServer } from "../fixtures/proxy-server.ts";
import { content, inSet, openGateway } from "./consumer-gateway.ts";
import { OddGateway } from "./odd-gateway.ts";
import { ScannerWork } from "./scanner-work.ts";

const folder = mkdtempSync(join(tmpdir(), "microengine-proxy-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/** A name that only the proxy can find. */
const BASE = "http://gateway.test/v1/default";
const hostsOf = (url: string) => ({ "gateway.test:80": new URL(url).host });
const through = (proxy: ProxyServer, base = BASE): HttpProxy =>
  proxyFor(new URL(base), { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url })!;
const log = createLogger({ level: "fatal", format: "json", name: "test" });
const never = new AbortController().signal;

const reach = (proxy: HttpProxy | undefined, base = BASE): Gateway =>
  new Gateway({
    base,
    proxy,
    account: parseAddress(`0x${"11".repeat(20)}`),
    chain: "side",
    clock: systemClock,
    random: () => 0.5,
    attempts: 1,
  });
const ask = { what: "x", path: "/x", lane: "read" } as const;

describe("through a proxy", () => {
  it("go the reveals that a start hands over before anything else", async () => {
    await using odd = await OddGateway.open();
    await using proxy = await ProxyServer.start({ hosts: hostsOf(odd.url) });
    odd.on("POST /transactions", { result: [{ is_error: false, message: "0x1" }] });
    await resendReveals({
      config: { polyswarmdAddr: BASE, apiKey: undefined, chains: ["side"] },
      ledger: {
        pin: () => `0x${"11".repeat(20)}`,
        openEntries: () => [{ reference: "0x1", sequence: 0n, bytes: "f8" }],
      },
      tell: () => undefined,
      signal: never,
      env: { HTTP_PROXY: proxy.url },
    });
    expect(proxy.asked).toEqual([
      expect.stringMatching(/^POST http:\/\/gateway\.test\/v1\/default\/transactions\?/),
    ]);
    expect(odd.requests("POST /transactions")).toHaveLength(1);
  });

  it("goes every request to the gateway, over several connections at a time", async () => {
    await using odd = await OddGateway.open();
    await using proxy = await ProxyServer.start({ hosts: hostsOf(odd.url) });
    await using gateway = reach(through(proxy));
    const all = Promise.withResolvers<{ result: string }>();
    odd.on("GET /x", () => {
      // None is answered before the last one has come: they do not queue behind each other.
      if (odd.requests("GET /x").length === 5) all.resolve({ result: "here" });
      return all.promise;
    });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => gateway.ask({ ...ask, method: "GET" })),
    );
    expect(answers).toEqual(Array(5).fill("here"));
    odd.on("POST /x", ({ body }) => ({ result: body }));
    expect(await gateway.ask({ ...ask, method: "POST", body: [1] })).toEqual([1]);
    expect(proxy.asked).toHaveLength(6);
    expect(proxy.asked.at(-1)).toMatch(/^POST http:\/\/gateway\.test\/v1\/default\/x\?/);
  });

  it("goes an https gateway in a tunnel, so that the proxy sees no key", async () => {
    await using proxy = await ProxyServer.start({ refuses: 403 });
    await using gateway = reach(through(proxy, "https://gateway.test/v1"), "https://gateway.test/v1");
    await expect(gateway.ask({ ...ask, method: "GET" })).rejects.toMatchObject({
      code: "MARKET_UNREACHABLE",
      cause: expect.objectContaining({ message: expect.stringContaining("403") }),
    });
    expect(proxy.asked).toEqual(["CONNECT gateway.test:443"]);
  });

  it("goes the event stream, in a tunnel", async () => {
    await using odd = await OddGateway.open();
    await using proxy = await ProxyServer.start({ hosts: hostsOf(odd.url) });
    const open = Promise.withResolvers<void>();
    const block = Promise.withResolvers<unknown>();
    const hear = (heard: { readonly name: string }): void => {
      if (heard.name === "block") block.resolve(heard);
    };
    const stream = new EventStream({
      url: eventsUrl(BASE, "side"),
      apiKey: "key",
      proxy: through(proxy),
      log,
      random: () => 0.5,
      blockMs: () => undefined,
      onOpen: open.resolve,
      onClose: () => {},
      onHeard: hear,
    });
    try {
      stream.start();
      await open.promise;
      odd.say("block", { number: 7 });
      expect(await block.promise).toMatchObject({ name: "block" });
      expect(proxy.asked).toEqual(["CONNECT gateway.test:80"]);
    } finally {
      stream.stop();
    }
  });

  it("that opens no tunnel, the event stream says so and tries again", async () => {
    await using proxy = await ProxyServer.start({ refuses: 403 });
    const told = Promise.withResolvers<Record<string, unknown>>();
    const hear = { ...log, warn: told.resolve } as unknown as typeof log;
    const stream = new EventStream({
      url: eventsUrl("https://gateway.test", "side"),
      proxy: through(proxy),
      log: hear,
      random: () => 0.5,
      blockMs: () => undefined,
      onOpen: () => {},
      onClose: () => {},
      onHeard: () => {},
    });
    try {
      stream.start();
      expect(await told.promise).toMatchObject({
        reason: `the proxy ${proxy.url} opens no way to gateway.test:443 (HTTP 403)`,
      });
    } finally {
      stream.stop();
    }
  });

  it("come the artifacts of a consumer", async () => {
    await using gateway = await openGateway({ QmX: content("here") });
    await using proxy = await ProxyServer.start({ hosts: hostsOf(gateway.base) });
    await using source = openArtifactSource(
      { polyswarmdAddr: BASE, allowKeyOverHttp: false, proxy: through(proxy) },
      { clock: systemClock, random: () => 1, silenceMs: 5000, pauseMs: 5, maxPauseMs: 20, missingMs: 1000 },
    );
    const wanted = { artifact: inSet("QmX"), maxSizeBytes: 1000, deadline: Date.now() + 20_000 };
    expect(await source.fetch(wanted, never)).toMatchObject({ kind: "content" });
    expect(proxy.asked).toEqual([`GET ${BASE}/artifacts/QmX/0`]);
  });

  it("is a service asked that is a backend, with the proxy's own password", async () => {
    const server = createServer((_request, response) => void response.end('{"verdict":"malicious"}'));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await using proxy = await ProxyServer.start({ hosts: { "service.test:80": `127.0.0.1:${port}` } });
    vi.stubEnv("HTTP_PROXY", proxy.url.replace("//", "//user:pass@"));
    vi.stubEnv("NO_PROXY", "");
    vi.stubEnv("no_proxy", "");
    const file = join(folder, "service.json");
    const url = "http://service.test/scan";
    writeFileSync(file, JSON.stringify({ type: "http", name: "service", version: "1.0.0", url }));
    await using work = await ScannerWork.open(file);
    expect(await work.scan("x")).toMatchObject({ kind: "finding", finding: { verdict: "malicious" } });
    expect(proxy.asked).toEqual([`POST ${url}`]);
    expect([...proxy.authorizations]).toEqual([`Basic ${Buffer.from("user:pass").toString("base64")}`]);
    server.close();
  });

  it("a producer and a consumer say what they use, and blame it when it does not get them there", async () => {
    await using proxy = await ProxyServer.start();
    const env = { HTTPS_PROXY: proxy.url, PASSWORD: "testpassword", LOG_FORMAT: "json" };
    const keyfile = join(folder, "keyfile");
    const keystore = await createKeystore(Buffer.alloc(32, 7), env.PASSWORD, { n: 1024 });
    writeFileSync(keyfile, JSON.stringify(keystore));
    const data = ["--data-dir", join(folder, "data"), "--keyfile", keyfile];
    const args = ["--polyswarmd-addr", "https://gateway.test/v1", "--wait", "0"];
    const embedded = ["--embedded", "1", "--http-port", "0"];
    const [producer, consumer] = await Promise.all([
      microengine(["producer", ...args, ...embedded, ...data], env),
      microengine(["consumer", ...args, "--redis-addr", "127.0.0.1:1"], env),
    ]);
    expect(proxy.asked).toContain("CONNECT gateway.test:443");
    expect(producer.stderr).toContain(`"proxy":"${proxy.url}"`);
    expect(producer.stderr.trim().split("\n").at(-1)).toBe(
      `microengine: There is no working polyswarmd at https://gateway.test/v1: the proxy ${proxy.url} (variable HTTPS_PROXY) did not get us there: it answers HTTP 502. Check --polyswarmd-addr, with its path; --wait says how long to keep trying.`,
    );
    expect(producer.code).toBe(2);
    expect(consumer.stderr).toContain(`"proxy":"${proxy.url}"`);
  });
});
