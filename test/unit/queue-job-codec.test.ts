import fc from "fast-check";
import { expect, it } from "vitest";
import { type ArtifactReference, isArtifactUrl, MAX_REFERENCE_CHARS } from "../../src/domain/artifact.ts";
import { CHAIN_NAMES } from "../../src/domain/chain.ts";
import { uintToGuid } from "../../src/domain/guid.ts";
import { instant } from "../../src/domain/instant.ts";
import { NO_OPINION_REASONS, type ScanAnswer, type ScanJob, scanJobId } from "../../src/domain/scan.ts";
import {
  decodeAnswer,
  decodeJob,
  encodeAnswer,
  encodeJob,
  parseScanJobId,
} from "../../src/queue/job-codec.ts";

const guids = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map(uintToGuid);
const instants = fc.integer({ min: 0, max: 2 ** 45 }).map(instant);
const text = fc.string({ unit: "grapheme" });
/** What a metadata object may hold: JSON, and integers that JSON's reader would round. */
const metadata = fc.dictionary(
  text.filter((key) => key !== "__proto__"),
  fc.oneof(
    text,
    fc.boolean(),
    fc.constant(null),
    fc.integer(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 256n }),
  ),
);
const optional = { requiredKeys: ["raw"] as ["raw"], noNullPrototype: true };

/** Paths and queries of a URL, as a market may sign them. */
const urls = fc
  .webUrl({ validSchemes: ["https"], withQueryParameters: true })
  .filter((url) => url.length <= MAX_REFERENCE_CHARS);
const references = fc.oneof(
  fc.record({ kind: fc.constant("content" as const), address: text }),
  fc.record({ kind: fc.constant("url" as const), url: urls }),
);

const jobs: fc.Arbitrary<ScanJob> = fc
  .record({
    guid: guids,
    market: fc.stringMatching(/^[a-z][a-z0-9]{0,31}$/),
    artifactIndex: fc.integer({ min: 0, max: 255 }),
    backend: fc.stringMatching(/^[a-z0-9-]{1,20}$/),
    kind: fc.constantFrom("file" as const, "url" as const),
    reference: references,
    claim: fc.record(
      { filename: text, mimetype: text, sizeBytes: fc.nat(), sha256: text, raw: metadata },
      optional,
    ),
    deadline: instants,
    maxSizeBytes: fc.nat(),
    dispatchedAt: instants,
  })
  .map(({ reference, ...job }) => ({
    ...job,
    id: scanJobId(job.market, job.guid, job.artifactIndex, job.backend),
    artifact: reference.kind === "url" ? reference : { ...reference, index: job.artifactIndex },
  }));

const opinions = fc.oneof(
  fc.record({
    verdict: fc.constantFrom("malicious" as const, "benign" as const, "suspicious" as const),
    confidence: fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0),
  }),
  fc.record({
    verdict: fc.constant("unknown" as const),
    confidence: fc.constant(0),
    reason: fc.constantFrom(...NO_OPINION_REASONS),
  }),
);

const answerTo = (job: ScanJob, opinion: Partial<ScanAnswer>): ScanAnswer => ({
  jobId: job.id,
  guid: job.guid,
  artifactIndex: job.artifactIndex,
  backend: job.backend,
  verdict: "malicious",
  confidence: 1,
  metadata: {},
  types: ["text/plain"],
  timings: { queuedMs: 0.25, fetchMs: 1, scanMs: 2 },
  consumer: "one",
  ...opinion,
});

/** What a value looks like on the other side of Redis or of a process boundary. */
const travel = (wire: unknown): unknown => JSON.parse(JSON.stringify(wire));
const unreadable = (why: string) => {
  throw new Error(why);
};

it("any job survives the journey to a consumer, large integers and all", () => {
  fc.assert(
    fc.property(jobs, (job) => {
      expect(decodeJob(travel(encodeJob(job)), unreadable)).toEqual(job);
    }),
  );
});

it("any answer survives the journey to the producer", () => {
  fc.assert(
    fc.property(jobs, opinions, metadata, (job, opinion, extra) => {
      const answer = answerTo(job, { ...opinion, metadata: extra });
      expect(decodeAnswer(job.id, travel(encodeAnswer(job, answer)))).toEqual(answer);
    }),
  );
});

it("any garbage in place of an answer becomes unknown, with the reason invalid-result", () => {
  fc.assert(
    fc.property(jobs, fc.jsonValue(), (job, garbage) => {
      expect(decodeAnswer(job.id, garbage)).toMatchObject({
        jobId: job.id,
        backend: job.backend,
        verdict: "unknown",
        confidence: 0,
        reason: "invalid-result",
      });
    }),
  );
});

it("any garbage in place of a job is refused with a reason, never thrown about", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (garbage) => {
      const why: string[] = [];
      expect(decodeJob(garbage, (reason) => why.push(reason))).toBeUndefined();
      expect(why).toHaveLength(1);
    }),
  );
});

it("the id of a job tells what it is about, and other texts tell nothing", () => {
  fc.assert(
    fc.property(jobs, text, (job, noise) => {
      const { id, market, guid, artifactIndex, backend } = job;
      expect(parseScanJobId(id)).toEqual({ id, market, guid, artifactIndex, backend });
      expect(parseScanJobId(noise)).toBeUndefined();
    }),
  );
});

const [job] = fc.sample(jobs, 1) as [ScanJob];

it("a job that an older version wrote is read: it called the market by its chain", () => {
  const { market, ...rest } = travel(encodeJob(job)) as { readonly market: string };
  expect(decodeJob({ ...rest, chain: market }, unreadable)).toEqual(job);
  expect(decodeJob({ ...rest }, () => undefined)).toBeUndefined();
});

/** A job about its third artifact. */
const third = (reference: ArtifactReference): ScanJob => ({
  ...job,
  id: scanJobId(job.market, job.guid, 2, job.backend),
  artifactIndex: 2,
  artifact: reference,
});
const URL_JOB = third({ kind: "url", url: "https://files.example/a?sig=1" });
const CONTENT_JOB = third({ kind: "content", address: "QmX", index: 2 });

it("a content reference travels under the key, and without the index, that jobs have always had", () => {
  const wire = travel(encodeJob(CONTENT_JOB)) as object;
  expect(wire).toMatchObject({ uri: "QmX", artifactIndex: 2 });
  expect(wire).not.toHaveProperty("artifact");
  expect(wire).not.toHaveProperty("url");
  expect(decodeJob(wire, unreadable)?.artifact).toEqual({ kind: "content", address: "QmX", index: 2 });
});

it("a URL travels under a key of its own, so that an older consumer takes it for no content address", () => {
  const wire = travel(encodeJob(URL_JOB)) as object;
  expect(wire).toMatchObject({ url: "https://files.example/a?sig=1" });
  expect(wire).not.toHaveProperty("uri");
});

it("a job with two references, or none, is refused", () => {
  const { url: _, ...without } = encodeJob(URL_JOB);
  for (const wire of [
    without,
    { ...encodeJob(URL_JOB), uri: "QmX" },
    { ...encodeJob(CONTENT_JOB), uri: 7 },
  ]) {
    const why: string[] = [];
    expect(decodeJob(travel(wire), (reason) => why.push(reason))).toBeUndefined();
    expect(why).toEqual([expect.stringMatching(/\buri\b/)]);
  }
});

it("refuses to send a content reference to another index than the job's", () => {
  const astray = third({ kind: "content", address: "QmX", index: 1 });
  expect(() => encodeJob(astray)).toThrow(expect.objectContaining({ code: "SCAN_JOB_INVALID" }));
});

const NO_URLS = [
  ...[
    "http://files.example/a",
    "ftp://files.example/a",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "",
    "QmX",
  ],
  ...[
    "https://user@files.example/a",
    "https://user:secret@files.example/a",
    "https://:secret@files.example/a",
  ],
  ...[
    "https://",
    "https://[::1",
    "https:files.example",
    " https://files.example/",
    "https://files.example/ a",
  ],
  ...[
    "https://files.example/\r\nx: y",
    "https://f\u00edles.example/",
    `https://files.example/${"a".repeat(2_048)}`,
  ],
];

it.each(NO_URLS)("neither sends nor reads a job with the URL %j", (url) => {
  expect(() => encodeJob(third({ kind: "url", url }))).toThrow(
    expect.objectContaining({ code: "SCAN_JOB_INVALID" }),
  );
  expect(decodeJob({ ...encodeJob(URL_JOB), url }, () => undefined)).toBeUndefined();
});

it("no text is a URL of an artifact but one that leads by https to a host, without user and password", () => {
  const start = fc.constantFrom(
    "https://",
    "https:",
    "HTTPS://",
    "http://",
    "//",
    "https://a@",
    "https://a:b@",
  );
  const texts = fc.tuple(start, fc.string({ unit: "binary" })).map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(texts, fc.webUrl({ withFragments: true })), (candidate) => {
      if (!isArtifactUrl(candidate)) return;
      expect(new URL(candidate)).toMatchObject({ protocol: "https:", username: "", password: "" });
      expect(candidate.length).toBeLessThanOrEqual(2_048);
      expect(candidate).toMatch(/^[\x21-\x7e]+$/);
    }),
  );
});

it("takes 2,048 characters of a reference, and no more", () => {
  const url = (length: number): ArtifactReference => ({
    kind: "url",
    url: "https://a.example/".padEnd(length, "x"),
  });
  const address = (length: number): ArtifactReference => ({
    kind: "content",
    address: "Q".repeat(length),
    index: 2,
  });
  for (const of of [url, address]) {
    expect(decodeJob(travel(encodeJob(third(of(2_048)))), unreadable)?.artifact).toEqual(of(2_048));
    expect(() => encodeJob(third(of(2_049)))).toThrow(expect.objectContaining({ code: "SCAN_JOB_INVALID" }));
  }
  expect(decodeJob({ ...encodeJob(CONTENT_JOB), uri: "Q".repeat(2_049) }, () => undefined)).toBeUndefined();
});

it("keys that a newer version may add pass by", () => {
  const wire = { ...(travel(encodeJob(job)) as object), color: "red" };
  expect(decodeJob(wire, unreadable)).toEqual(job);
  const answer = answerTo(job, {});
  const answered = { ...(travel(encodeAnswer(job, answer)) as object), color: "red" };
  expect(decodeAnswer(job.id, answered)).toEqual(answer);
});

it("refuses to send a job whose id is not its own", () => {
  expect(() => encodeJob({ ...job, id: `${job.id}x` })).toThrow(
    expect.objectContaining({ code: "SCAN_JOB_INVALID" }),
  );
});

it.each([
  ["a confidence above 1", { confidence: 1.01 }],
  ["a confidence that is no number", { confidence: Number.NaN }],
  ["unknown without a reason", { verdict: "unknown" as const, confidence: 0 }],
  ["a reason for a verdict that is known", { reason: "no-match" as const }],
  ["another job's id", { jobId: "side-of-the-road" }],
  ["metadata as long as a novel", { metadata: { novel: "x".repeat(300_000) } }],
  ["metadata that is no object", { metadata: "none" as unknown as Record<string, unknown> }],
  ["metadata that goes round in circles", { metadata: circle() }],
])("sends invalid-result instead of an answer with %s", (_what, wrong) => {
  const wire = encodeAnswer(job, answerTo(job, wrong));
  expect(decodeAnswer(job.id, travel(wire))).toMatchObject({ verdict: "unknown", reason: "invalid-result" });
});

it("takes no answer from one chain for an answer from another", () => {
  const chain = CHAIN_NAMES.find((name) => name !== job.market) ?? "home";
  const twin = scanJobId(chain, job.guid, job.artifactIndex, job.backend);
  const wire = encodeAnswer(job, answerTo(job, {}));
  expect(decodeAnswer(twin, travel(wire))).toMatchObject({ jobId: twin, reason: "invalid-result" });
});

it("takes no answer about one artifact for an answer about another", () => {
  const other = answerTo({ ...job, artifactIndex: (job.artifactIndex + 1) % 256 }, { jobId: job.id });
  const wire = { ...other, metadata: "{}" };
  expect(decodeAnswer(job.id, travel(wire))).toMatchObject({ reason: "invalid-result" });
});

function circle(): Record<string, unknown> {
  const ring: Record<string, unknown> = {};
  ring.ring = ring;
  return ring;
}

it("a job or answer of a million wrong values is refused in a sentence, not with a million of them", () => {
  const wrong = Array.from({ length: 1_000_000 }, () => 1);
  const [job] = fc.sample(jobs, 1);
  const told: string[] = [];
  const spent = process.cpuUsage();
  for (let time = 0; time < 300; time++) {
    expect(decodeJob({ ...encodeJob(job!), claim: wrong }, (why) => told.push(why))).toBeUndefined();
    expect(decodeAnswer(job!.id, { types: wrong })).toMatchObject({ reason: "invalid-result" });
  }
  const { user, system } = process.cpuUsage(spent);
  expect(user + system).toBeLessThan(5_000_000);
  expect(told[0]).toBe("it holds more than any job or answer does");
});

it("an answer with a wrong value in each of its places is explained briefly", () => {
  const [job] = fc.sample(jobs, 1);
  const types = Array.from({ length: 500 }, () => 1);
  const answer = decodeAnswer(job!.id, { ...answerTo(job!, {}), metadata: "{}", types });
  expect(answer?.detail?.length).toBeLessThan(400);
});
