import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Consumer, openConsumer } from "../../src/consumer/consumer.ts";
import type { ScanAnswer } from "../../src/domain/scan.ts";
import { listening } from "../fixtures/queue/listening.ts";
import { content, type Gateway, openGateway } from "./consumer-gateway.ts";
import { DirectWork, type JobWishes } from "./consumer-work.ts";

const PUPPET = fileURLToPath(new URL("../fixtures/scanners/puppet.ts", import.meta.url));
const EICAR = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].join("");
const MIB = 1024 * 1024;
const { log, entries } = listening();

/** Artifacts that tell the puppet scanner what to do, under their own word as URI (`l`, `0`, `I`, `O` are not base58). */
const WORDS = {
  QmSay: "malicious",
  QmQuiet: "silent",
  QmUndecided: "undecided",
  QmHang: "hang",
  QmSpin: "spin",
  QmHeed: "heed",
  QmExit: "exit",
  QmThrow: "throw",
  QmWrongMeta: "wrong-metadata",
  QmNothing: "nothing",
  QmNan: "nan",
  QmWrongWord: "wrong-word",
  QmFunction: "function",
  QmFunctionWithin: "function-inside",
  QmCycGraph: "cyclic",
  QmEnvironment: "environment",
  QmPid: "pid",
  QmPath: "path",
} as const;

describe("a consumer", () => {
  let gateway: Gateway;
  let consumer: Consumer;
  const work = new DirectWork();
  const heard: ScanAnswer[] = [];
  const stop = new AbortController();
  let served: Promise<void>;

  const big = Buffer.alloc(30 * MIB, "A");
  const ask = (wishes: JobWishes) => work.ask(wishes);

  afterAll(() => vi.unstubAllEnvs());
  beforeAll(async () => {
    vi.stubEnv("PASSWORD", "hunter2");
    vi.stubEnv("SCANNER_FEED_TOKEN", "the scanner's own");
    gateway = await openGateway({
      ...Object.fromEntries(Object.entries(WORDS).map(([uri, word]) => [uri, content(word)])),
      QmEicar: content(`prefix ${EICAR}`),
      QmEmpty: content(""),
      QmBig: content(big),
      QmUrL: content("https://secure.eicar.org/eicar.com"),
      QmNotText: content(Buffer.from([0x68, 0xff, 0xfe])),
      QmPicture: content(Buffer.from("89504e470d0a1a0a0000000d49484452", "hex")),
    });
    consumer = await openConsumer({
      terms: {
        polyswarmdAddr: gateway.base,
        apiKey: "0123456789abcdef0123456789abcdef",
        allowKeyOverHttp: true,
        backends: ["eicar", PUPPET],
        scanLimit: 2,
        maxArtifactSize: 33 * MIB,
        name: "test-consumer",
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

  it("serves the queues that its scanners name, and says that it does", () => {
    expect(work.served).toEqual({ backends: ["eicar", "puppet"], concurrency: 4 });
    expect([consumer.healthy(), consumer.serving()]).toEqual([true, true]);
    expect(consumer.backends.map(({ name, version }) => `${name} ${version}`)).toEqual([
      "eicar 1.0.0",
      "puppet 1.2.3",
    ]);
  });

  it("warns once of what the marketplace will not take of a scanner's metadata", async () => {
    await ask({ uri: "QmWrongMeta" });
    expect((await ask({ uri: "QmWrongMeta" })).metadata).toEqual({ heuristic: "yes", seen: true });
    expect(entries.filter(({ msg }) => msg === "scanner.metadata-dropped")).toMatchObject([
      { backend: "puppet", complaint: "metadata.heuristic is left out: it must be true or false." },
    ]);
  });

  it("keeps the verdict of a scanner whose metadata is no JSON, and warns of what it dropped", async () => {
    expect(await ask({ uri: "QmCycGraph" })).toMatchObject({ verdict: "malicious", metadata: {} });
    expect(entries).toContainEqual(
      expect.objectContaining({
        msg: "scanner.metadata-dropped",
        level: 40,
        backend: "puppet",
        complaint: expect.stringMatching(/^metadata is left out: it must be an object that is JSON/),
      }),
    );
  });

  it("leaves out of the metadata what cannot be copied, and keeps the verdict", async () => {
    const { verdict, metadata } = await ask({ uri: "QmFunctionWithin" });
    expect({ verdict, metadata }).toEqual({ verdict: "malicious", metadata: { seen: true } });
  });

  it("answers with everything it learned", async () => {
    const answer = await ask({ uri: "QmSay", artifactIndex: 3 });
    expect(answer).toMatchObject({
      artifactIndex: 3,
      backend: "puppet",
      verdict: "malicious",
      confidence: 0.9,
      family: "Puppet",
      metadata: { seen: true },
      scannerVersion: "1.2.3",
      sha256: createHash("sha256").update("malicious").digest("hex"),
      sizeBytes: 9,
      types: ["text/plain"],
      consumer: "test-consumer",
      timings: { queuedMs: expect.any(Number), fetchMs: expect.any(Number), scanMs: expect.any(Number) },
    });
    expect(answer.reason).toBeUndefined();
    expect(heard.at(-1)).toEqual(answer);
  });

  it("asks its own gateway below the path prefix, with its own key", async () => {
    await ask({ uri: "QmQuiet", artifactIndex: 7 });
    expect(gateway.requests.at(-1)).toEqual({
      path: "/v1/default/artifacts/QmQuiet/7",
      key: "0123456789abcdef0123456789abcdef",
    });
  });

  it("finds the EICAR string in a file and the test file's address in a URL", async () => {
    expect(await ask({ uri: "QmEicar", backend: "eicar" })).toMatchObject({ verdict: "malicious" });
    expect(await ask({ uri: "QmUrL", backend: "eicar", kind: "url" })).toMatchObject({
      verdict: "malicious",
      types: ["text/x-url", "text/plain"],
    });
  });

  it.each([
    ["a scanner that found nothing", "QmQuiet", "no-match"],
    ["a scanner that says why it cannot tell", "QmUndecided", "undecided"],
    ["a scanner that throws", "QmThrow", "scanner-error"],
    ["a scanner whose process ends", "QmExit", "crashed"],
    ["a scanner that returns nothing", "QmNothing", "invalid-result"],
    ["a scanner that is sure by NaN", "QmNan", "invalid-result"],
    ["a scanner that invents a verdict", "QmWrongWord", "invalid-result"],
    ["a scanner that returns what cannot be copied", "QmFunction", "invalid-result"],
  ])("says unknown of %s, with the reason, and scans on", async (_, uri, reason) => {
    expect(await ask({ uri })).toMatchObject({ verdict: "unknown", confidence: 0, reason });
    expect(await ask({ uri: "QmSay" })).toMatchObject({ verdict: "malicious" });
  });

  it("tells what the scanner threw", async () => {
    expect(await ask({ uri: "QmThrow" })).toMatchObject({ detail: "cannot parse this" });
  });

  it.each([
    ["waits for ever", "QmHang"],
    ["spins for ever", "QmSpin"],
  ])("kills a scanner that %s at the deadline, and the next scan works", async (_, uri) => {
    const from = performance.now();
    const [stuck, meanwhile] = await Promise.all([ask({ uri, inMs: 400 }), ask({ uri: "QmSay" })]);
    expect(stuck).toMatchObject({ verdict: "unknown", reason: "timeout" });
    expect(performance.now() - from).toBeLessThan(6000);
    expect(meanwhile).toMatchObject({ verdict: "malicious" });
    expect(await ask({ uri: "QmSay" })).toMatchObject({ verdict: "malicious" });
  });

  it("stops a scan at once when it is told to", async () => {
    const told = new AbortController();
    const scanning = work.ask({ uri: "QmHang" }, told.signal);
    await ask({ uri: "QmSay" });
    told.abort();
    expect(await scanning).toMatchObject({ verdict: "unknown", reason: "cancelled" });
  });

  it("keeps the wallet's secrets out of the scanner's environment, and passes what is meant for it", async () => {
    const { metadata } = await ask({ uri: "QmEnvironment" });
    expect(metadata.names).not.toContain("PASSWORD");
    expect(metadata.names).toContain("SCANNER_FEED_TOKEN");
    expect(metadata.names).toContain("PATH");
  });

  it("gives a scanner the artifact as a file, and removes it afterwards", async () => {
    const { metadata } = await ask({ uri: "QmPath" });
    expect(metadata.text).toBe("path");
    expect(existsSync(metadata.file as string)).toBe(false);
  });

  it("takes a zero-byte artifact", async () => {
    expect(await ask({ uri: "QmEmpty" })).toMatchObject({
      sizeBytes: 0,
      types: ["application/x-empty"],
      sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    });
  });

  it("takes a 30 MiB artifact", async () => {
    const answer = await ask({ uri: "QmBig", backend: "eicar" });
    expect(answer).toMatchObject({ reason: "no-match", sizeBytes: 30 * MIB, types: ["text/plain"] });
    expect(answer.sha256).toBe(createHash("sha256").update(big).digest("hex"));
  });

  it("does not hand a scanner what it does not accept", async () => {
    expect(await ask({ uri: "QmPicture" })).toMatchObject({ reason: "not-accepted", types: ["image/png"] });
  });

  it("says not-text of a URL artifact that is no UTF-8", async () => {
    expect(await ask({ uri: "QmNotText", kind: "url" })).toMatchObject({ reason: "not-text" });
  });

  it("holds the content against the hash that the bounty declares, in either case", async () => {
    const sha256 = createHash("sha256").update("malicious").digest("hex").toUpperCase();
    const claiming = (text: string) => ask({ uri: "QmSay", claim: { sha256: text, raw: {} } });
    expect(await claiming(sha256)).toMatchObject({ verdict: "malicious" });
    expect(await claiming("A".repeat(64))).toMatchObject({ reason: "hash-mismatch" });
    expect(await claiming("unknown")).toMatchObject({ verdict: "malicious" });
  });

  it("holds to the smaller of the job's size limit and its own", async () => {
    expect(await ask({ uri: "QmSay", artifactIndex: 9, maxSizeBytes: 8 })).toMatchObject({
      reason: "too-large",
    });
    expect(await ask({ uri: "QmSay", artifactIndex: 9, maxSizeBytes: 9 })).toMatchObject({
      verdict: "malicious",
    });
  });

  it("does nothing for a job whose deadline has passed", async () => {
    const before = gateway.requests.length;
    expect(await ask({ uri: "QmSay", artifactIndex: 11, inMs: -1 })).toMatchObject({ reason: "expired" });
    expect(gateway.requests).toHaveLength(before);
  });

  it("answers not-accepted for a backend that it does not run", async () => {
    expect(await ask({ uri: "QmSay", backend: "yara" })).toMatchObject({ reason: "not-accepted" });
  });

  it("asks for nothing but artifacts, whatever a job names", async () => {
    const before = gateway.requests.length;
    for (const uri of ["../bounties", "Qm/../../status", "Qm%2e", "", "https://a.example/x", "Qm?x=1"]) {
      expect(await ask({ uri })).toMatchObject({ reason: "download-failed" });
    }
    expect(await ask({ uri: "QmSay", artifactIndex: 256 })).toMatchObject({ reason: "download-failed" });
    expect(gateway.requests).toHaveLength(before);
  });

  it("downloads an artifact once for all its backends", async () => {
    const before = gateway.requests.length;
    await Promise.all([
      ask({ uri: "QmEicar", artifactIndex: 5 }),
      ask({ uri: "QmEicar", artifactIndex: 5, backend: "eicar" }),
    ]);
    await ask({ uri: "QmEicar", artifactIndex: 5 });
    expect(gateway.requests).toHaveLength(before + 1);
  });

  it("finishes what it began before it stops", async () => {
    const last = ask({ uri: "QmHeed", inMs: 300 });
    stop.abort();
    await served;
    expect(heard.at(-1)).toEqual(await last);
    expect([consumer.serving(), consumer.inProgress()]).toEqual([false, 0]);
  });
});
