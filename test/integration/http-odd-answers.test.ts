/** Answers that a server or a proxy compressed, and answers that point elsewhere. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { openArtifactSource } from "../../src/consumer/fetch-artifact.ts";
import { parseAddress } from "../../src/domain/address.ts";
import { systemClock } from "../../src/domain/instant.ts";
import type { MarketFault } from "../../src/market/onchain/http/answer.ts";
import { Gateway } from "../../src/market/onchain/http/http.ts";
import { LIMITS } from "../../src/market/onchain/http/limits.ts";
import { whyUnreachable } from "../../src/market/onchain/http/unreachable.ts";
import { EventStream } from "../../src/market/onchain/stream/event-stream.ts";
import { createLogger } from "../../src/observe/log.ts";
import { inSet } from "./consumer-gateway.ts";
import { ScannerWork } from "./scanner-work.ts";

const folder = mkdtempSync(join(tmpdir(), "microengine-odd-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A server that answers everything in one way; keeps the headers that it was asked with. */
async function serve(listener: RequestListener) {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers);
    listener(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Sent in pieces, as over a network. */
const packed =
  (coding: string, bytes: Buffer): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { "content-encoding": coding });
    for (let at = 0; at < bytes.length; at += 16_384) response.write(bytes.subarray(at, at + 16_384));
    response.end();
  };

const CODINGS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gzipSync,
  "x-gzip": gzipSync,
  deflate: deflateSync,
  br: (bytes) => brotliCompressSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
};
const codings = [
  ...Object.entries(CODINGS),
  ["deflate", deflateRawSync] as const,
  ["GZIP", gzipSync] as const,
  // By a server and by a proxy in front of it.
  ["gzip, gzip", (bytes: Buffer) => gzipSync(gzipSync(bytes))] as const,
  [
    "deflate, br, identity, zstd",
    (bytes: Buffer) => CODINGS.zstd!(CODINGS.br!(deflateRawSync(bytes))),
  ] as const,
];

const reach = (base: string): Gateway =>
  new Gateway({
    base,
    account: parseAddress(`0x${"11".repeat(20)}`),
    chain: "side",
    clock: systemClock,
    random: () => 0.5,
    attempts: 1,
  });
const ask = { what: "the answer", method: "GET", path: "/x", lane: "read" } as const;

const POLICY = {
  clock: systemClock,
  random: () => 1,
  silenceMs: 5000,
  pauseMs: 5,
  maxPauseMs: 20,
  missingMs: 60_000,
};
async function fetchFrom(url: string, maxSizeBytes = 1_000_000, inMs = 20_000) {
  await using source = openArtifactSource({ polyswarmdAddr: url, allowKeyOverHttp: false }, POLICY);
  const wanted = { artifact: inSet("QmX"), maxSizeBytes, deadline: Date.now() + inMs };
  return await source.fetch(wanted, new AbortController().signal);
}

let files = 0;
function openService(url: string, wishes: object = {}): Promise<ScannerWork> {
  const file = join(folder, `service-${++files}.json`);
  writeFileSync(file, JSON.stringify({ type: "http", name: "service", version: "1.0.0", url, ...wishes }));
  return ScannerWork.open(file);
}

const ARTIFACT = Buffer.from("MZ".repeat(50_000));
const ANSWER = Buffer.from(JSON.stringify({ status: "OK", result: "x".repeat(20_000) }));

describe("an answer that is compressed", () => {
  it("is asked for, but not for artifacts and their beginnings", async () => {
    await using server = await serve((_request, response) => response.end(ANSWER));
    await using gateway = reach(server.url);
    await gateway.ask(ask);
    await gateway.head(ask, 10);
    await fetchFrom(server.url);
    expect(server.asked.map((headers) => headers["accept-encoding"])).toEqual([
      "gzip, deflate, br, zstd",
      "identity",
      "identity",
    ]);
  });

  it.each(codings)(
    "with %s is read as it was: by the market, its artifacts whole and in part",
    async (coding, pack) => {
      await using server = await serve(packed(coding, pack(ANSWER)));
      await using gateway = reach(server.url);
      expect(await gateway.ask(ask)).toBe("x".repeat(20_000));
      await using artifacts = await serve(packed(coding, pack(ARTIFACT)));
      await using sources = reach(artifacts.url);
      expect(Buffer.from(await sources.head(ask, 4)).toString()).toBe("MZMZ");
      const fetched = await fetchFrom(artifacts.url);
      expect(fetched.kind === "content" && Buffer.from(fetched.bytes).equals(ARTIFACT)).toBe(true);
    },
  );

  it("is read by a backend that asks a service", async () => {
    await using server = await serve(packed("gzip", gzipSync('{"verdict":"malicious"}')));
    await using work = await openService(server.url);
    expect(await work.scan("x")).toMatchObject({ kind: "finding", finding: { verdict: "malicious" } });
    expect(server.asked[0]).toMatchObject({ "accept-encoding": "gzip, deflate, br, zstd" });
  });

  it.each(Object.entries(CODINGS))(
    "with %s unpacks no further than its reader's limit",
    async (coding, pack) => {
      // 64 MiB from some kilobytes.
      await using server = await serve(packed(coding, pack(Buffer.alloc(64 * 1024 * 1024))));
      await using gateway = reach(server.url);
      await expect(gateway.ask({ ...ask, limits: { ...LIMITS.small, bytes: 1_000 } })).rejects.toMatchObject({
        code: "MARKET_ANSWER_TOO_LARGE",
      });
      expect(await gateway.head(ask, 1_000)).toHaveLength(1_000);
      expect(await fetchFrom(server.url, 100_000)).toMatchObject({ kind: "too-large" });
    },
  );

  it("unpacks no further when it was compressed twice", async () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(64 * 1024 * 1024)));
    await using server = await serve(packed("gzip, gzip", bomb));
    await using gateway = reach(server.url);
    await expect(gateway.ask({ ...ask, limits: { ...LIMITS.small, bytes: 1_000 } })).rejects.toMatchObject({
      code: "MARKET_ANSWER_TOO_LARGE",
    });
    expect(await gateway.head(ask, 1_000)).toHaveLength(1_000);
    expect(await fetchFrom(server.url, 100_000)).toMatchObject({ kind: "too-large" });
  });

  it("is no way around the limit on a service's answer", async () => {
    const bomb = gzipSync(JSON.stringify({ verdict: "malicious", detail: " ".repeat(10_000_000) }));
    await using server = await serve(packed("gzip", bomb));
    await using work = await openService(server.url, { maxAnswerBytes: 100_000 });
    expect(await work.scan("x")).toMatchObject({
      kind: "thrown",
      detail: expect.stringContaining("larger than this backend allows"),
    });
  });

  it("that never unpacks to anything is given up", async () => {
    // Empty blocks of deflate, behind a header of gzip.
    const nothing = Buffer.concat([
      gzipSync("").subarray(0, 10),
      Buffer.alloc(3_000_000, "\0\0\0\xff\xff", "latin1"),
    ]);
    await using server = await serve(packed("gzip", nothing));
    await using gateway = reach(server.url);
    await expect(gateway.ask({ ...ask, limits: { ...LIMITS.small, bytes: 1_000 } })).rejects.toMatchObject({
      message: expect.stringContaining("larger packed than unpacked"),
    });
  });

  it.each([
    ["in a coding that was not asked for", "compress", ANSWER, /encoded as "compress"/],
    ["four times", "gzip, br, gzip, br", ANSWER, /compressed more than 3 times/],
    ["in name only", "gzip", ANSWER, /is not the gzip that it is said to be/],
    ["and cut short", "gzip", gzipSync(ANSWER).subarray(0, 30), /is not the gzip that it is said to be/],
  ])("%s is called so", async (_how, coding, bytes, words) => {
    await using server = await serve(packed(coding, bytes));
    await using gateway = reach(server.url);
    await expect(gateway.ask(ask)).rejects.toMatchObject({
      code: "MARKET_ANSWER_UNREADABLE",
      message: expect.stringMatching(words),
    });
    expect(await fetchFrom(server.url)).toMatchObject({
      kind: "download-failed",
      detail: expect.stringMatching(words),
    });
    await using work = await openService(server.url);
    expect(await work.scan("x")).toMatchObject({ kind: "thrown", detail: expect.stringMatching(words) });
  });
});

const TARGET = "https://elsewhere.test/v1/other";
const pointing =
  (status: number, location: string): RequestListener =>
  (_request, response) =>
    response.writeHead(status, { location }).end();

describe("an answer that points elsewhere", () => {
  it.each([301, 302, 307, 308])("names where to, and the address to give instead: %d", async (status) => {
    await using server = await serve((request, response) =>
      pointing(status, `${TARGET}${request.url}&secret=1`)(request, response),
    );
    await using gateway = reach(server.url);
    const fault = await gateway.ask(ask).catch((error: MarketFault) => error);
    expect(fault).toMatchObject({ code: "MARKET_REDIRECTED", retryable: false, status });
    expect(whyUnreachable({ base: server.url, schemeAssumed: false }, fault as MarketFault)).toBe(
      `what answers there points to ${TARGET}/x (HTTP ${status}); give ${TARGET} if that is the marketplace`,
    );
  });

  it("is told of by a consumer, and by the event stream", async () => {
    await using server = await serve(pointing(301, `${TARGET}/artifacts/QmX/0`));
    expect(await fetchFrom(server.url)).toMatchObject({
      kind: "download-failed",
      detail: `The gateway points to ${TARGET}/artifacts/QmX/0 (HTTP 301).`,
    });
    const told = Promise.withResolvers<Record<string, unknown>>();
    const log = createLogger({ level: "fatal", format: "json", name: "test" });
    const stream = new EventStream({
      url: server.url.replace("http", "ws"),
      random: () => 0.5,
      blockMs: () => undefined,
      log: { ...log, warn: told.resolve } as unknown as typeof log,
      onOpen: () => {},
      onClose: () => {},
      onHeard: () => {},
    });
    stream.start();
    expect(await told.promise).toMatchObject({
      reason: `HTTP 301, which points to ${TARGET}/artifacts/QmX/0`,
    });
    stream.stop();
  });

  it("is told of by a backend that asks a service", async () => {
    await using server = await serve(pointing(302, "/login"));
    await using work = await openService(server.url);
    expect(await work.scan("x")).toMatchObject({
      kind: "thrown",
      detail: expect.stringContaining(`status 302, which points to ${server.url}/login`),
    });
  });

  it.each(["javascript:alert(1)", "http://[", "\u00e9\u0000".slice(0, 1)])(
    "by nonsense is an answer like any other: %j",
    async (location) => {
      await using server = await serve(pointing(301, location));
      await using gateway = reach(server.url);
      const fault = (await gateway.ask(ask).catch((error: unknown) => error)) as MarketFault;
      expect(fault.status).toBe(301);
    },
  );
});
