/** Artifacts that a job names by a URL. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Semaphore } from "../../src/async/semaphore.ts";
import type { FetchPolicy } from "../../src/consumer/artifact-attempts.ts";
import { openConsumer } from "../../src/consumer/consumer.ts";
import { openArtifactSource } from "../../src/consumer/fetch-artifact.ts";
import { shareArtifacts } from "../../src/consumer/shared-artifacts.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { proxyFor } from "../../src/http/proxy.ts";
import type { PublicAccess } from "../../src/http/public-requests.ts";
import { ProxyServer } from "../fixtures/proxy-server.ts";
import { listening } from "../fixtures/queue/listening.ts";
import { content, inSet, openGateway } from "./consumer-gateway.ts";
import { DirectWork } from "./consumer-work.ts";
import { type Answer, body, CERTIFICATE, leadTo, UrlServer } from "./url-server.ts";

const POLICY: FetchPolicy = {
  clock: systemClock,
  random: () => 1,
  silenceMs: 5000,
  pauseMs: 5,
  maxPauseMs: 20,
  missingMs: 60_000,
};
const never = new AbortController().signal;

/** No packet of a test leaves this machine: one of its addresses stands for the public ones. */
const HERE: PublicAccess = { mayConnect: (address) => address === "127.0.0.1", ca: CERTIFICATE };
const at = (...addresses: readonly string[]) => addresses.map((address) => ({ address, family: 4 }));

/** Nothing listens there, and nothing may ask. */
const GATEWAY = { polyswarmdAddr: "http://127.0.0.1:1", apiKey: "the-key", allowKeyOverHttp: true };

interface Wishes {
  readonly urls?: PublicAccess;
  readonly policy?: Partial<FetchPolicy>;
  readonly maxSizeBytes?: number;
  readonly inMs?: number;
}

async function fetchUrl(
  url: string,
  { urls = HERE, policy = {}, maxSizeBytes = 1000, inMs = 10_000 }: Wishes = {},
) {
  await using source = openArtifactSource(GATEWAY, { ...POLICY, ...policy }, urls);
  const deadline = Date.now() + inMs;
  return await source.fetch({ artifact: { kind: "url", url }, maxSizeBytes, deadline }, never);
}

const refused = (words: string) => ({ kind: "download-failed", detail: expect.stringContaining(words) });

describe("an artifact that a job names by a URL", () => {
  it("is fetched there, without the API key and with nothing else that is ours", async () => {
    await using server = await UrlServer.start({ "/a?sig=1": body("here") });
    expect(await fetchUrl(server.url("/a?sig=1"))).toMatchObject({
      kind: "content",
      bytes: Buffer.from("here"),
      sha256: "fcec91509759ad995c2cd14bcb26b2720993faf61c29d379b270d442d92290eb",
    });
    expect(server.asked.map(({ headers }) => Object.keys(headers).toSorted())).toEqual([
      ["accept-encoding", "connection", "host"],
    ]);
  });

  it.each(["http://127.0.0.1/a", "https://user:secret@127.0.0.1/a", "https://", "QmX"])(
    "is not asked for at %s",
    async (url) => {
      expect(await fetchUrl(url)).toEqual({
        kind: "download-failed",
        detail: "The job names no valid artifact.",
      });
    },
  );

  it("is not asked for where the certificate is not trusted", async () => {
    await using server = await UrlServer.start({ "/a": body("here") });
    const urls = { mayConnect: () => true };
    expect(await fetchUrl(server.url("/a"), { urls, inMs: 500 })).toMatchObject(
      refused("self-signed certificate"),
    );
    expect(server.asked).toEqual([]);
  });

  it("is held to the limits that artifacts of the gateway are held to", async () => {
    const endless: Answer = (response) => {
      const more = (): boolean => response.write("x".repeat(64 * 1024));
      response.writeHead(200).on("drain", more);
      more();
    };
    const bomb: Answer = (response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(10_000_000)));
    const packed: Answer = (response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("unpacked"));
    const late: Answer = (response, visit, request) =>
      visit < 3
        ? response.writeHead([404, 503][visit - 1] ?? 500).end()
        : body("late")(response, visit, request);
    await using server = await UrlServer.start({
      "/endless": endless,
      "/bomb": bomb,
      "/packed": packed,
      "/late": late,
      "/exact": body("x".repeat(1000)),
      "/longer": body("x".repeat(1001)),
      "/refused": (response) => response.writeHead(403).end("too large"),
      "/silent": () => {},
    });
    const from = (path: string, wishes?: Wishes) => fetchUrl(server.url(path), wishes);
    for (const path of ["/endless", "/bomb", "/longer"])
      expect(await from(path)).toMatchObject({ kind: "too-large" });
    expect(await from("/exact")).toMatchObject({ kind: "content" });
    expect(await from("/packed")).toMatchObject({ kind: "content", bytes: Buffer.from("unpacked") });
    expect(await from("/late")).toMatchObject({ kind: "content", bytes: Buffer.from("late") });
    expect(await from("/refused")).toEqual({ kind: "download-failed", detail: "The server answers 403." });
    expect(await from("/silent", { inMs: 200 })).toMatchObject(refused("did not arrive in time"));
  });

  it("waits for the places that artifacts of the gateway wait for", async () => {
    await using server = await UrlServer.start({ "/a": body("here") });
    const policy = { downloads: new Semaphore(1) };
    using place = await policy.downloads.enter(never);
    expect(place).toBeDefined();
    expect(await fetchUrl(server.url("/a"), { policy, inMs: 200 })).toMatchObject(
      refused("there was no time to ask"),
    );
    expect(server.connections).toBe(0);
  });
});

describe("a URL that leads into the operator's network", () => {
  it.each([
    ...["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"],
    ...["localhost", "10.0.0.1", "169.254.169.254", "100.64.0.1", "[fd00::1]", "0.0.0.0", "[::]"],
  ])("is not connected to: %s", async (host) => {
    await using server = await UrlServer.start({ "/a": body("secret") });
    expect(await fetchUrl(server.url("/a", host), { urls: { ca: CERTIFICATE } })).toMatchObject(
      refused("which is no public address"),
    );
    expect(server.connections).toBe(0);
  });

  it("is not connected to when only one of the addresses of its name is within", async () => {
    await using server = await UrlServer.start({ "/a": body("here") });
    const resolve = async () => at("127.0.0.1", "10.0.0.1");
    const fetched = await fetchUrl(server.url("/a", "localhost"), { urls: { ...HERE, resolve } });
    expect(fetched).toEqual({
      kind: "download-failed",
      detail: "The URL leads to 10.0.0.1, which is no public address.",
    });
    expect(server.connections).toBe(0);
  });

  it("is not connected to when its name, once checked, resolves to something else", async () => {
    const closing: Answer = (response) => response.writeHead(200, { connection: "close" }).end("public");
    await using server = await UrlServer.start({ "/a": closing });
    await using inner = await UrlServer.start({ "/a": body("secret") }, "127.0.0.2", server.port);
    let looks = 0;
    const resolve = async () => at(looks++ === 0 ? "127.0.0.1" : "127.0.0.2");
    await using source = openArtifactSource(GATEWAY, POLICY, { ...HERE, resolve });
    const url = server.url("/a", "localhost");
    const fetch = () =>
      source.fetch(
        { artifact: { kind: "url", url }, maxSizeBytes: 1000, deadline: Date.now() + 60_000 },
        never,
      );
    expect(await fetch()).toMatchObject({ kind: "content", bytes: Buffer.from("public") });
    expect(looks).toBe(1);
    expect(await fetch()).toMatchObject(refused("127.0.0.2, which is no public address"));
    expect(looks).toBe(2);
    expect(inner.connections).toBe(0);
  });
});

describe("a URL that leads on", () => {
  it.each([301, 302, 303, 307, 308])("is followed by %d, to a host of its own or another", async (status) => {
    await using other = await UrlServer.start({ "/b": body("there") });
    await using server = await UrlServer.start({ "/a": leadTo("/next", status) });
    server.pages.set("/next", leadTo(other.url("/b"), status));
    expect(await fetchUrl(server.url("/a"))).toMatchObject({ kind: "content", bytes: Buffer.from("there") });
    expect(other.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it("is followed three times, and no fourth time", async () => {
    const pages = { "/3": leadTo("/2"), "/2": leadTo("/1"), "/1": leadTo("/0"), "/0": body("here") };
    await using server = await UrlServer.start({ "/4": leadTo("/3"), ...pages });
    expect(await fetchUrl(server.url("/3"))).toMatchObject({ kind: "content" });
    expect(await fetchUrl(server.url("/4"))).toEqual({
      kind: "download-failed",
      detail: "The URL leads on more than 3 times.",
    });
    expect(server.asked.filter(({ path }) => path === "/0")).toHaveLength(1);
  });

  it("to plain http, or with a password, is not followed", async () => {
    let asked = 0;
    const plain = createServer((_request, response) => response.end(String(++asked)));
    plain.listen(0, "127.0.0.1");
    await once(plain, "listening");
    const { port } = plain.address() as AddressInfo;
    await using server = await UrlServer.start({
      "/http": leadTo(`http://127.0.0.1:${port}/a?token=1`),
      "/0": body("here"),
    });
    server.pages.set("/user", leadTo(server.url("/0").replace("//", "//user:secret@")));
    server.pages.set("/ftp", leadTo("ftp://127.0.0.1/a"));
    const detail = `The URL leads to http://127.0.0.1:${port}/a (HTTP 302), which is not asked.`;
    expect(await fetchUrl(server.url("/http"))).toEqual({ kind: "download-failed", detail });
    expect(await fetchUrl(server.url("/user"))).toMatchObject(refused("which is not asked"));
    expect(await fetchUrl(server.url("/ftp"))).toMatchObject(refused("which is not asked"));
    expect(asked).toBe(0);
    expect(server.asked.map(({ path }) => path)).toEqual(["/http", "/user", "/ftp"]);
    plain.close();
  });

  it("into the operator's network, by address or by name, is not followed", async () => {
    await using server = await UrlServer.start({});
    await using inner = await UrlServer.start({ "/a": body("secret") }, "127.0.0.2", server.port);
    server.pages.set("/address", leadTo(inner.url("/a", "127.0.0.2")));
    server.pages.set("/name", leadTo(inner.url("/a", "localhost")));
    const resolve = async () => at("127.0.0.2");
    for (const path of ["/address", "/name"]) {
      expect(await fetchUrl(server.url(path), { urls: { ...HERE, resolve } })).toMatchObject(
        refused("127.0.0.2, which is no public address"),
      );
    }
    expect(inner.connections).toBe(0);
  });
});

describe("a URL behind a proxy", () => {
  const through = (proxy: ProxyServer): PublicAccess => ({
    ...HERE,
    proxyFor: (url) => proxyFor(url, { HTTPS_PROXY: proxy.url }),
    resolve: () => Promise.reject(new Error("this machine knows no names")),
  });

  it("has its name looked up by the proxy, and is asked in a tunnel", async () => {
    await using server = await UrlServer.start({ "/a": body("here") });
    await using proxy = await ProxyServer.start({ hosts: { "localhost:443": `127.0.0.1:${server.port}` } });
    const fetched = await fetchUrl("https://localhost/a", { urls: through(proxy) });
    expect(fetched).toMatchObject({ kind: "content", bytes: Buffer.from("here") });
    expect(proxy.asked).toEqual(["CONNECT localhost:443"]);
  });

  it("is not asked at an address within the operator's network, at once or on the way", async () => {
    await using server = await UrlServer.start({ "/a": leadTo("https://10.0.0.1/secret") });
    await using proxy = await ProxyServer.start({ hosts: { "localhost:443": `127.0.0.1:${server.port}` } });
    for (const url of ["https://10.0.0.1/secret", "https://localhost/a"]) {
      expect(await fetchUrl(url, { urls: through(proxy) })).toMatchObject(
        refused("10.0.0.1, which is no public address"),
      );
    }
    expect(proxy.asked).toEqual(["CONNECT localhost:443"]);
  });

  it("that is none is named at once", async () => {
    const urls = { ...HERE, proxyFor: (url: URL) => proxyFor(url, { HTTPS_PROXY: "ftp://proxy" }) };
    expect(await fetchUrl("https://localhost/a", { urls })).toMatchObject(refused("HTTPS_PROXY"));
  });
});

/** A consumer with the backend eicar, behind no gateway, and a way to ask it about URLs. */
async function consume(parts: Pick<Parameters<typeof openConsumer>[0], "env" | "urlAccess">) {
  await using stack = new AsyncDisposableStack();
  const { log, entries } = listening();
  const terms = {
    polyswarmdAddr: "http://127.0.0.1:1",
    allowKeyOverHttp: false,
    backends: ["eicar"],
    scanLimit: 1,
    maxArtifactSize: 1_000_000,
    name: "one",
  };
  const consumer = stack.use(await openConsumer({ terms, log, env: {}, ...parts }));
  const work = new DirectWork();
  const stop = new AbortController();
  const served = consumer.serve(work, stop.signal);
  stack.defer(async () => {
    stop.abort();
    await served;
  });
  await work.serving;
  const lifetime = stack.move();
  return {
    entries,
    ask: (url: string) => work.ask({ backend: "eicar", artifact: { kind: "url", url }, inMs: 60_000 }),
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

describe("a consumer", () => {
  const EICAR = String.raw`X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`;
  const notFetched = (words: string) => ({
    reason: "download-failed",
    detail: expect.stringContaining(words),
  });

  it("scans what a URL names, and blames its gateway for no URL that fails", async () => {
    await using server = await UrlServer.start({ "/a": body(EICAR) });
    await using consumer = await consume({ urlAccess: HERE });
    for (const path of ["/gone", "/away", "/lost", "/nowhere"])
      expect(await consumer.ask(server.url(path))).toMatchObject(notFetched("The server answers 410."));
    expect(await consumer.ask(server.url("/a"))).toMatchObject({ verdict: "malicious" });
    expect(consumer.entries.filter(({ msg }) => msg.startsWith("download."))).toEqual([]);
  });

  it("asks for a URL through the proxy of its environment", async () => {
    await using server = await UrlServer.start({ "/a": body(EICAR) });
    await using proxy = await ProxyServer.start({ hosts: { "localhost:443": `127.0.0.1:${server.port}` } });
    await using consumer = await consume({ urlAccess: HERE, env: { HTTPS_PROXY: proxy.url } });
    expect(await consumer.ask("https://localhost/a")).toMatchObject({ verdict: "malicious" });
    expect(proxy.asked).toEqual(["CONNECT localhost:443"]);
  });

  it("reaches nothing on its own machine for a URL, as users run it", async () => {
    await using server = await UrlServer.start({ "/a": body(EICAR) });
    await using consumer = await consume({});
    expect(await consumer.ask(server.url("/a"))).toMatchObject(notFetched("no public address"));
    expect(server.connections).toBe(0);
  });
});

describe("sharing artifacts", () => {
  it("tells references apart, and shares what a URL gave among the jobs of one deadline only", async () => {
    await using gateway = await openGateway({ QmA: content("from the gateway") });
    await using server = await UrlServer.start({
      "/QmA": (response, visit) => response.writeHead(200).end(`visit ${visit}`),
      "/QmB": body("another"),
    });
    const access = { polyswarmdAddr: gateway.base, allowKeyOverHttp: false };
    await using shared = shareArtifacts(openArtifactSource(access, POLICY, HERE), 10_000);
    const deadline = Date.now() + 60_000;
    const got = async (artifact: Parameters<typeof inSet>[0] | { readonly path: string }, later = 0) => {
      const reference =
        typeof artifact === "string"
          ? inSet(artifact)
          : ({ kind: "url", url: server.url(artifact.path) } as const);
      const wanted = { artifact: reference, maxSizeBytes: 1000, deadline: deadline + later };
      const fetched = await shared.fetch(wanted, never);
      return fetched.kind === "content" ? Buffer.from(fetched.bytes).toString() : fetched;
    };
    expect(await got("QmA")).toBe("from the gateway");
    expect(await Promise.all([got({ path: "/QmA" }), got({ path: "/QmB" })])).toEqual(["visit 1", "another"]);
    expect(await got({ path: "/QmA" })).toBe("visit 1");
    expect(await got({ path: "/QmA" }, 1)).toBe("visit 2");
    expect(await got("QmA", 1)).toBe("from the gateway");
    expect(gateway.requests).toHaveLength(1);
  });
});
