import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Consumer, openConsumer } from "../../src/consumer/consumer.ts";
import type { ArtifactClaim } from "../../src/domain/artifact.ts";
import type { ScanAnswer } from "../../src/domain/scan.ts";
import { createLogger } from "../../src/observe/log.ts";
import { hostileCorpus } from "../fixtures/hostile/corpus.ts";
import { makeZip } from "../fixtures/hostile/make-zip.ts";
import { content, type Gateway, openGateway, type Serve } from "./consumer-gateway.ts";
import { DirectWork } from "./consumer-work.ts";

const MIB = 1024 * 1024;
const log = createLogger({ level: "silent", format: "json", name: "test" });
const corpus = hostileCorpus();
const encrypted = makeZip([{ name: "a", content: "a", encrypted: true }]);

/** Calls everything benign that is not the EICAR file. */
const CREDULOUS = fileURLToPath(new URL("../fixtures/scanners/answers.ts", import.meta.url));

/** What a stranger may call a file. */
const NAMES = [
  "../../../../etc/passwd",
  "..\\..\\windows\\win.ini",
  "a\0b",
  "\x1b[2J\x07\r\nforged: line",
  "n".repeat(100_000),
  "\u202egpj.exe",
  "$(touch /tmp/x)`id`;|&",
  "\ud800",
  "-rf",
  "",
];
const claimOf = (filename: string): ArtifactClaim => ({ filename, mimetype: filename, raw: { filename } });

/** `l`, `0`, `I` and `O` are not base58. */
const uriOf = (at: number): string => `QmHosti${at.toString(9).replaceAll("0", "9")}`;

/** A byte every 20 ms, for as long as somebody listens. */
const trickle: Serve = (response) => {
  response.writeHead(200);
  const drip = setInterval(() => response.write("x"), 20);
  response.on("close", () => clearInterval(drip));
};
const declaring =
  (length: number): Serve =>
  (response) => {
    response.writeHead(200, { "content-length": String(length) });
    response.write("x");
  };
const flood: Serve = (response) => {
  const wave = Buffer.alloc(MIB);
  const pour = (left: number): void => {
    if (left > 0 && !response.destroyed) response.write(wave, () => pour(left - 1));
    else response.end();
  };
  response.writeHead(200);
  pour(100);
};

describe("a consumer that is given hostile input", () => {
  let gateway: Gateway;
  let consumer: Consumer;
  const work = new DirectWork();
  const heard: ScanAnswer[] = [];
  const stop = new AbortController();
  let served: Promise<void>;

  beforeAll(async () => {
    gateway = await openGateway({
      ...Object.fromEntries(corpus.map(({ bytes }, at) => [uriOf(at), content(bytes)])),
      QmTrickLe: trickle,
      QmDecLared: declaring(100 * MIB),
      QmSent: flood,
      QmPLain: content("hello"),
      QmLocked: content(encrypted),
    });
    consumer = await openConsumer({
      terms: {
        polyswarmdAddr: gateway.base,
        allowKeyOverHttp: false,
        backends: ["eicar", CREDULOUS],
        scanLimit: 2,
        maxArtifactSize: 40 * MIB,
        name: "hostile",
      },
      log,
      onAnswer: (answer) => heard.push(answer),
    });
    served = consumer.serve(work, stop.signal);
    await work.serving;
  });

  afterAll(async () => {
    stop.abort();
    await served;
    await consumer[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  it("answers every file of the corpus, with a verdict or with the reason why there is none", async () => {
    const asked = corpus.map(({ name, expect: due }, at) => ({ uri: uriOf(at), name, due }));
    expect(new Set(asked.map(({ uri }) => uri)).size).toBe(corpus.length);
    const before = heard.length;
    // As many at once as a queue gives it; each is looked at for three seconds at most.
    const { concurrency } = work.served!;
    const answers: ScanAnswer[] = [];
    for (let from = 0; from < asked.length; from += concurrency) {
      const asking = asked.slice(from, from + concurrency).map(({ uri }, at) => {
        const filename = NAMES[(from + at) % NAMES.length]!;
        return work.ask({ uri, backend: "eicar", inMs: 50_000, claim: claimOf(filename) });
      });
      answers.push(...(await Promise.all(asking)));
    }
    const ends = answers.map(({ verdict, reason, detail }, at) => ({
      name: asked[at]!.name,
      end: verdict === "unknown" ? `${reason} ${detail?.split(":")[0] ?? ""}`.trim() : verdict,
    }));
    const due = asked.map(({ name, due }) => ({
      name,
      end: due?.malicious ? "malicious" : due?.caveat === undefined ? "no-match" : `undecided ${due.caveat}`,
    }));
    expect(ends).toEqual(due);
    expect(heard.length - before).toBe(corpus.length);
    expect(consumer.healthy()).toBe(true);
    expect(consumer.inProgress()).toBe(0);
  });

  it("lets no backend call benign what could not be seen through", async () => {
    const doubtful = corpus.flatMap(({ expect: due }, at) =>
      due?.caveat === undefined ? [] : [{ uri: uriOf(at), caveat: due.caveat }],
    );
    expect(doubtful.length).toBeGreaterThan(20);
    for (const { uri, caveat } of doubtful) {
      expect(await work.ask({ uri, backend: "answers", inMs: 50_000 })).toMatchObject({
        verdict: "unknown",
        confidence: 0,
        reason: "undecided",
        detail: expect.stringMatching(`^${caveat}: `),
      });
    }
    expect(await work.ask({ uri: "QmPLain", backend: "answers" })).toMatchObject({ verdict: "benign" });
  });

  it("puts nothing into a detail that a stranger wrote", () => {
    const details = heard.flatMap(({ detail }) => (detail === undefined ? [] : [detail]));
    expect(details.length).toBeGreaterThan(40);
    expect(details.filter((detail) => !/^[a-z-]+: [\x20-\x7e]{10,120}$/.test(detail))).toEqual([]);
  });

  it("gives up a download that trickles at its deadline, and frees its place", async () => {
    const answer = await work.ask({ uri: "QmTrickLe", backend: "eicar", inMs: 400 });
    expect(answer).toMatchObject({ verdict: "unknown", reason: "download-failed" });
    expect(await work.ask({ uri: "QmPLain", backend: "eicar" })).toMatchObject({ reason: "no-match" });
  });

  it.each(["QmDecLared", "QmSent"])("does not read 100 MiB to the end, declared or sent: %s", async (uri) => {
    expect(await work.ask({ uri, backend: "eicar" })).toMatchObject({ reason: "too-large" });
  });

  it("takes content of another length than the bounty declares for another content, unless its hash is declared", async () => {
    const ask = (claim: ArtifactClaim) => work.ask({ uri: "QmPLain", backend: "eicar", claim });
    const sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    expect(await ask({ sizeBytes: 5, raw: {} })).toMatchObject({ reason: "no-match" });
    expect(await ask({ sizeBytes: 6, raw: {} })).toMatchObject({
      reason: "hash-mismatch",
      detail: "The bounty declares 6 bytes, the content has 5.",
    });
    expect(await ask({ sizeBytes: 6, sha256, raw: {} })).toMatchObject({ reason: "no-match" });
  });

  it("goes by what is in the content, whatever type the bounty declares", async () => {
    const answer = await work.ask({
      uri: "QmLocked",
      backend: "eicar",
      claim: { mimetype: "text/plain", raw: {} },
    });
    expect(answer).toMatchObject({ reason: "undecided", types: ["application/zip"] });
  });
});
