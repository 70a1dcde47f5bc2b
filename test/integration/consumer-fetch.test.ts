import { describe, expect, it } from "vitest";
import { Semaphore } from "../../src/async/semaphore.ts";
import { openArtifactSource } from "../../src/consumer/fetch-artifact.ts";
import { shareArtifacts } from "../../src/consumer/shared-artifacts.ts";
import { ConfigFault } from "../../src/domain/fault.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { content, inSet, openGateway, type Serve } from "./consumer-gateway.ts";

const POLICY = {
  clock: systemClock,
  random: () => 1,
  silenceMs: 5000,
  pauseMs: 5,
  maxPauseMs: 20,
  missingMs: 60_000,
};
const never = new AbortController().signal;

/** Fetches one artifact from a gateway that serves it in one way only. */
async function fetchFrom(
  serve: Serve,
  wishes: { inMs?: number; missingMs?: number; maxSizeBytes?: number; signal?: AbortSignal } = {},
) {
  const { inMs = 5000, missingMs = POLICY.missingMs, maxSizeBytes = 1000, signal = never } = wishes;
  await using gateway = await openGateway({ QmX: serve });
  await using source = openArtifactSource(
    { polyswarmdAddr: `${gateway.base}/`, allowKeyOverHttp: false },
    { ...POLICY, missingMs },
  );
  const request = { artifact: inSet("QmX"), maxSizeBytes, deadline: Date.now() + inMs };
  const fetched = await source.fetch(request, signal);
  return { fetched, visits: gateway.requests.length };
}

/** As `fetchFrom`, with an API key; tells every key that the gateway saw. */
async function fetchWithKey(serve: Serve, uri = "QmX") {
  await using gateway = await openGateway({ QmX: serve });
  const access = { polyswarmdAddr: gateway.base, apiKey: "the-key", allowKeyOverHttp: true };
  await using source = openArtifactSource(access, POLICY);
  const request = { artifact: inSet(uri), maxSizeBytes: 1000, deadline: Date.now() + 5000 };
  const fetched = await source.fetch(request, never);
  return { fetched, keys: gateway.requests.map(({ key }) => key) };
}

const failing =
  (status: number, times: number): Serve =>
  (response, visit, request) =>
    visit <= times ? void response.writeHead(status).end("{}") : content("here")(response, visit, request);

describe("fetching an artifact", () => {
  it.each([404, 429, 500, 502, 503, 504])("tries again after a %d, which may pass", async (status) => {
    const { fetched, visits } = await fetchFrom(failing(status, 2));
    expect(fetched).toMatchObject({ kind: "content" });
    expect(visits).toBe(3);
  });

  it.each([400, 401, 403, 410])("gives up at once after a %d, which will not", async (status) => {
    const { fetched, visits } = await fetchFrom(failing(status, 9));
    expect(fetched).toMatchObject({
      kind: "download-failed",
      detail: expect.stringContaining(String(status)),
    });
    expect(visits).toBe(1);
  });

  it("tries again when the connection breaks in the middle", async () => {
    const { fetched, visits } = await fetchFrom((response, visit, request) => {
      if (visit > 1) return content("whole")(response, visit, request);
      response.writeHead(200, { "content-length": "5" });
      response.write("wh", () => response.destroy());
    });
    expect(fetched).toMatchObject({ kind: "content", bytes: Buffer.from("whole") });
    expect(visits).toBe(2);
  });

  it("gives up at the deadline when the gateway says nothing", async () => {
    const from = performance.now();
    const { fetched } = await fetchFrom(() => {}, { inMs: 200 });
    expect(fetched).toMatchObject({ kind: "download-failed" });
    expect(performance.now() - from).toBeLessThan(4000);
  });

  it("gives up at the deadline when the content stops coming", async () => {
    const { fetched } = await fetchFrom((response) => void response.writeHead(200).write("a little"), {
      inMs: 200,
    });
    expect(fetched).toMatchObject({ kind: "download-failed" });
  });

  it("gives up at the deadline when the artifact stays missing, and says what the gateway said", async () => {
    const { fetched } = await fetchFrom(failing(404, 1000), { inMs: 100 });
    expect(fetched).toMatchObject({ kind: "download-failed", detail: expect.stringContaining("404") });
  });

  it("does not hold a scan's place until a far deadline for an artifact that stays missing", async () => {
    const { fetched } = await fetchFrom(failing(404, 100_000), { inMs: 3_600_000, missingMs: 200 });
    expect(fetched).toMatchObject({ kind: "download-failed", detail: expect.stringContaining("404") });
  });

  it("takes the real gateway's word for a missing artifact, 500 after a second, for what it is: asked again, with pauses, and given up", async () => {
    const missing: Serve = (response) =>
      void response.writeHead(500).end('{"status":"FAIL","errors":"Timeout running ls"}');
    const { fetched, visits } = await fetchFrom(missing, { inMs: 3_600_000, missingMs: 200 });
    const detail = "The artifact is not to be had: the gateway answers 500 (Timeout running ls).";
    expect(fetched).toEqual({ kind: "download-failed", detail });
    expect(visits).toBeGreaterThan(2);
    expect(visits).toBeLessThan(30);
  });

  it("of a missing artifact holds no place of a download between two questions, and no more wait so than may", async () => {
    const told = new AbortController();
    const pausing = Promise.withResolvers<void>();
    const missing: Serve = (response, visit) => {
      if (visit > 1) pausing.resolve();
      response.writeHead(500).end('{"status":"FAIL","errors":"Timeout running ls"}');
    };
    await using gateway = await openGateway({ QmMissing: missing, QmAgain: missing, QmX: content("here") });
    await using source = openArtifactSource(
      { polyswarmdAddr: gateway.base, allowKeyOverHttp: false },
      { ...POLICY, downloads: new Semaphore(1), missingWaits: new Semaphore(1) },
    );
    const ask = (uri: string) =>
      source.fetch({ artifact: inSet(uri), maxSizeBytes: 1000, deadline: Date.now() + 60_000 }, told.signal);
    const first = ask("QmMissing");
    await pausing.promise;
    expect(await ask("QmX")).toMatchObject({ kind: "content" });
    expect(await ask("QmAgain")).toMatchObject({
      kind: "download-failed",
      detail: expect.stringContaining("others are waited for already"),
    });
    told.abort();
    expect(await first).toMatchObject({ kind: "cancelled" });
  });

  it("is never done by more at a time than may, and one that waits can be stopped", async () => {
    const open: (() => void)[] = [];
    const slow: Serve = (response) => void open.push(() => response.writeHead(200).end("here"));
    await using gateway = await openGateway({ QmX: slow });
    await using source = openArtifactSource(
      { polyswarmdAddr: gateway.base, allowKeyOverHttp: false },
      { ...POLICY, downloads: new Semaphore(2) },
    );
    const ask = (signal: AbortSignal) =>
      source.fetch({ artifact: inSet("QmX"), maxSizeBytes: 1000, deadline: Date.now() + 60_000 }, signal);
    const stop = new AbortController();
    const running = [ask(never), ask(never)];
    await expect.poll(() => open.length).toBe(2);
    const waiting = ask(stop.signal);
    const last = ask(never);
    stop.abort();
    expect(await waiting).toMatchObject({ kind: "cancelled" });
    expect(open).toHaveLength(2);
    for (const finish of open) finish();
    await Promise.all(running);
    await expect.poll(() => open.length).toBe(3);
    open[2]!();
    expect(await last).toMatchObject({ kind: "content" });
  });

  it("stops at once when told to", async () => {
    const told = new AbortController();
    const { fetched } = await fetchFrom(() => told.abort(), { signal: told.signal });
    expect(fetched).toMatchObject({ kind: "cancelled" });
  });

  it("takes content of exactly the limit and nothing longer", async () => {
    expect((await fetchFrom(content("x".repeat(1000)))).fetched).toMatchObject({ kind: "content" });
    expect((await fetchFrom(content("x".repeat(1001)))).fetched).toMatchObject({ kind: "too-large" });
  });

  it("stops reading an endless artifact without a length at the limit", async () => {
    const endless: Serve = (response) => {
      const more = (): boolean => response.write("x".repeat(64 * 1024));
      response.writeHead(200).on("drain", more);
      more();
    };
    expect((await fetchFrom(endless)).fetched).toMatchObject({ kind: "too-large" });
  });

  it("asks again rather than believe content shorter than its announced length", async () => {
    const { fetched, visits } = await fetchFrom((response, visit, request) => {
      if (visit > 1) return content("whole")(response, visit, request);
      response.writeHead(200, { "content-length": "50" });
      response.write("short", () => response.socket?.end());
    });
    expect(fetched).toMatchObject({ kind: "content", bytes: Buffer.from("whole") });
    expect(visits).toBe(2);
  });

  it("knows the gateway's own limit for the caller's key, and does not take it for the operator's", async () => {
    const refused: Serve = (response) =>
      void response.writeHead(400).end('{"status":"FAIL","errors":"Artifact with URI QmX too large"}');
    expect((await fetchFrom(refused)).fetched).toEqual({
      kind: "too-large",
      detail: "The gateway does not hand it out to this API key, for which it is too large (HTTP 400).",
    });
  });

  it("does not follow a gateway that points elsewhere", async () => {
    const { fetched, visits } = await fetchFrom(
      (response) => void response.writeHead(302, { location: "/v1/default/artifacts/QmY/0" }).end(),
    );
    expect(fetched).toMatchObject({ kind: "download-failed" });
    expect(visits).toBe(1);
  });

  it.each([301, 302, 303, 307, 308])(
    "takes its API key nowhere else when a %d points there",
    async (status) => {
      await using stranger = await openGateway({ QmX: content("mine now") });
      const away = `${stranger.base}/artifacts/QmX/0`;
      const { fetched, keys } = await fetchWithKey((response) =>
        response.writeHead(status, { location: away, refresh: `0; url=${away}`, link: `<${away}>` }).end(),
      );
      expect(fetched).toMatchObject({ kind: "download-failed" });
      expect(keys).toEqual(["the-key"]);
      expect(stranger.requests).toEqual([]);
    },
  );

  it("takes its API key nowhere else, and to no other path, whatever a job names", async () => {
    await using stranger = await openGateway({});
    const host = new URL(stranger.base).host;
    const uris = [
      ...[
        `//${host}/x`,
        `\\\\${host}\\x`,
        `http://${host}/x`,
        `http:${host}`,
        `@${host}/x`,
        `.${host}`,
        `:80@${host}`,
      ],
      ...[
        "..",
        "../..",
        "QmX/..",
        "QmX/../../..",
        "QmX%2f..%2f..",
        "%2e%2e",
        "QmX?x=",
        "QmX#x",
        "QmX;x",
        "QmX\r\nx: y",
        "",
      ],
    ];
    for (const uri of uris) {
      const { fetched, keys } = await fetchWithKey(content("here"), uri);
      expect(fetched).toMatchObject({ kind: "download-failed", detail: "The job names no valid artifact." });
      expect(keys).toEqual([]);
    }
    expect(stranger.requests).toEqual([]);
  });

  it("refuses to send the API key over http unless that is allowed", () => {
    const access = { polyswarmdAddr: "http://127.0.0.1:1", apiKey: "k", allowKeyOverHttp: false };
    expect(() => openArtifactSource(access, POLICY)).toThrow(ConfigFault);
    expect(() => openArtifactSource({ ...access, polyswarmdAddr: "ftp://a" }, POLICY)).toThrow("ftp://a");
  });
});

describe("sharing artifacts", () => {
  it("asks for the same artifact once while it is under way, and once more when it was forgotten", async () => {
    const hundred = content("x".repeat(100));
    await using gateway = await openGateway({ QmA: hundred, QmB: hundred });
    const direct = openArtifactSource({ polyswarmdAddr: gateway.base, allowKeyOverHttp: false }, POLICY);
    await using shared = shareArtifacts(direct, 150);
    const get = (uri: string) =>
      shared.fetch({ artifact: inSet(uri), maxSizeBytes: 1000, deadline: Date.now() + 5000 }, never);

    await Promise.all([get("QmA"), get("QmA")]);
    await get("QmA");
    expect(gateway.requests).toHaveLength(1);
    await get("QmB");
    await get("QmA");
    expect(gateway.requests).toHaveLength(3);
  });

  it("does not remember a failure, nor content for somebody with a smaller limit", async () => {
    await using gateway = await openGateway({ QmA: failing(410, 1) });
    const direct = openArtifactSource({ polyswarmdAddr: gateway.base, allowKeyOverHttp: false }, POLICY);
    await using shared = shareArtifacts(direct, 150);
    const get = (maxSizeBytes: number) =>
      shared.fetch({ artifact: inSet("QmA"), maxSizeBytes, deadline: Date.now() + 5000 }, never);

    expect(await get(1000)).toMatchObject({ kind: "download-failed" });
    expect(await get(1000)).toMatchObject({ kind: "content" });
    expect(await get(3)).toMatchObject({ kind: "too-large" });
  });

  it("lets one who stops waiting go, and the others have the artifact", async () => {
    const asked = Promise.withResolvers<() => void>();
    await using gateway = await openGateway({
      QmA: (response, visit, request) => asked.resolve(() => content("here")(response, visit, request)),
    });
    const direct = openArtifactSource({ polyswarmdAddr: gateway.base, allowKeyOverHttp: false }, POLICY);
    await using shared = shareArtifacts(direct, 150);
    const request = { artifact: inSet("QmA"), maxSizeBytes: 1000, deadline: Date.now() + 5000 };
    const told = new AbortController();

    const first = shared.fetch(request, told.signal);
    const second = shared.fetch(request, never);
    const answer = await asked.promise;
    told.abort();
    expect(await first).toMatchObject({ kind: "cancelled" });
    answer();
    expect(await second).toMatchObject({ kind: "content" });
  });
});
