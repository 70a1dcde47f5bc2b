import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openArtifactSource } from "../../src/consumer/fetch-artifact.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { proxyFor } from "../../src/http/proxy.ts";
import { openTunnel } from "../../src/http/tunnel.ts";
import { createLogger } from "../../src/observe/log.ts";
import { readDestinations } from "../../src/relay/destinations.ts";
import { openRelay, type Relay } from "../../src/relay/relay.ts";
import { ProxyServer } from "../fixtures/proxy-server.ts";
import { content, inSet, openGateway } from "./consumer-gateway.ts";

const log = createLogger({ level: "fatal", format: "json", name: "test" });
let secret: Server;
let secretHost: string;
beforeEach(async () => {
  secret = createServer((_request, response) => response.end("secret"));
  secret.listen(0, "127.0.0.1");
  await once(secret, "listening");
  secretHost = `127.0.0.1:${(secret.address() as AddressInfo).port}`;
});
afterEach(() => void secret.close());

const open = (allowed: readonly string[], env = {}): Promise<Relay> =>
  openRelay({ allowed: new Set(allowed), env, log, host: "127.0.0.1", port: 0 });
const through = (relay: Relay) =>
  proxyFor(new URL("http://x/"), { HTTP_PROXY: `http://127.0.0.1:${relay.port}` })!;

/** What the relay says to these bytes. */
async function say(relay: Relay, bytes: string): Promise<string> {
  const socket = connect(relay.port, "127.0.0.1");
  socket.write(bytes);
  return (await text(socket)).split("\r\n")[0]!;
}
const get = (url: string, headers = ""): string =>
  `GET ${url} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n`;

describe("the relay", () => {
  it("leads a consumer to its artifacts", async () => {
    await using gateway = await openGateway({ QmX: content("here") });
    await using relay = await open([new URL(gateway.base).host]);
    const access = {
      polyswarmdAddr: gateway.base,
      allowKeyOverHttp: true,
      apiKey: "key",
      proxy: through(relay),
    };
    await using source = openArtifactSource(access, {
      clock: systemClock,
      random: () => 1,
      silenceMs: 5000,
      pauseMs: 5,
      maxPauseMs: 20,
      missingMs: 1000,
    });
    const wanted = { artifact: inSet("QmX"), maxSizeBytes: 1000, deadline: Date.now() + 20_000 };
    const fetched = await source.fetch(wanted, new AbortController().signal);
    expect(fetched).toMatchObject({ kind: "content" });
    expect(gateway.requests).toEqual([{ path: "/v1/default/artifacts/QmX/0", key: "key" }]);
  });

  it("opens a tunnel to what is allowed, which may be another proxy's to open", async () => {
    await using upstream = await ProxyServer.start({ hosts: { "gateway.test:443": secretHost } });
    await using relay = await open(["gateway.test:443"], { HTTPS_PROXY: upstream.url });
    const target = { host: "gateway.test", port: 443, tls: false };
    const socket = await openTunnel(through(relay), target, 10_000);
    socket.write("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    expect(await text(socket)).toContain("secret");
    expect(upstream.asked).toEqual(["CONNECT gateway.test:443"]);
  });

  it.each<[what: string, request: (host: string) => string]>([
    ["a request to another host", (host) => get(`http://${host}/`)],
    ["a tunnel to another host", (host) => `CONNECT ${host} HTTP/1.1\r\nhost: gateway.test:80\r\n\r\n`],
    ["a host header that lies", (host) => get(`http://${host}/`, "x-host: gateway.test:80\r\n")],
    ["a name in front of an @", (host) => get(`http://gateway.test:80@${host}/`)],
    ["a tunnel to nonsense", () => "CONNECT /etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n"],
    ["another scheme", () => get("file:///etc/passwd")],
    ["a path without a host", () => get("/metrics")],
  ])("refuses %s", async (_what, request) => {
    await using relay = await open(["gateway.test:80"]);
    expect(await say(relay, request(secretHost))).toBe("HTTP/1.1 403 Forbidden");
  });

  it("says that it is there, and when what is allowed is not", async () => {
    await using relay = await open(["127.0.0.1:1"]);
    expect(await say(relay, get("/healthz"))).toBe("HTTP/1.1 200 OK");
    expect(await say(relay, get("http://127.0.0.1:1/"))).toBe("HTTP/1.1 502 Bad Gateway");
    expect(await say(relay, "CONNECT 127.0.0.1:1 HTTP/1.1\r\nhost: x\r\n\r\n")).toBe(
      "HTTP/1.1 502 Bad Gateway",
    );
  });

  it("is told more places as HOST:PORT", () => {
    expect(readDestinations(["Scanner.Example:443", "[::1]:80"])).toEqual([
      "scanner.example:443",
      "[::1]:80",
    ]);
    for (const wrong of ["scanner", "http://scanner:80", "a:0", "a:99999", "a b:1", "*:443"])
      expect(() => readDestinations([wrong])).toThrow(/is no HOST:PORT/);
  });
});
