import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collectSamples } from "../../src/sandbox/samples/samples.ts";
import { detectTypes, TRIAGE_HEAD_BYTES } from "../../src/triage/detect.ts";
import { LOOK_LIMITS, lookInside } from "../../src/triage/look-inside.ts";
import { hostileCorpus } from "../fixtures/hostile/corpus.ts";
import {
  makeElf,
  makeJar,
  makeLargeOle,
  makeMail,
  makeOdt,
  makeOffice,
  makeOle,
  makePe,
  makeTar,
  makeWordStream,
  makeWorkbookStream,
} from "../fixtures/hostile/make-file.ts";
import { makeRar4, makeRar5 } from "../fixtures/hostile/make-rar.ts";
import { makeSevenZip } from "../fixtures/hostile/make-seven-zip.ts";
import { makeZip, nestedZip } from "../fixtures/hostile/make-zip.ts";

const corpus = hostileCorpus();

describe("the hostile corpus", () => {
  it("has more than 60 files, each under its own name", () => {
    expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length);
    expect(corpus.length).toBeGreaterThanOrEqual(60);
  });

  it.each(corpus)("is typed and looked through as it deserves: $name", async ({ bytes, expect: due }) => {
    const types = await detectTypes(bytes, "file", "whole");
    expect(types).toEqual(expect.arrayContaining([...(due?.types ?? [])]));
    expect(types.length).toBeGreaterThan(0);
    expect((await lookInside(bytes))?.kind).toBe(due?.caveat);
  });

  it("has all types of its heads in its wholes, but for a jar that turns out to be an Android package", async () => {
    for (const { name, bytes } of corpus) {
      const whole = bytes.length < TRIAGE_HEAD_BYTES;
      const head = await detectTypes(
        bytes.subarray(0, TRIAGE_HEAD_BYTES),
        "file",
        whole ? "whole" : "beginning",
      );
      const types = await detectTypes(bytes, "file", "whole");
      const allowed = types.includes("application/vnd.android.package-archive")
        ? ["application/java-archive"]
        : types.length > 0 && head[0] === "application/octet-stream"
          ? head
          : [];
      expect(
        head.filter((type) => !types.includes(type) && !allowed.includes(type)),
        name,
      ).toEqual([]);
    }
  });
});

describe("a look inside", () => {
  it.each([
    ["a text", Buffer.from("hello")],
    ["a ZIP", makeZip([{ name: "a.txt", content: "hello" }])],
    ["a jar", makeJar()],
    ["a Word document", makeOffice("word")],
    ["an OpenDocument text", makeOdt()],
    ["a tar in a gzip", gzipSync(makeTar([{ name: "a", content: "hello" }]))],
    ["an old Word document", makeOle(["WordDocument"], "", { WordDocument: makeWordStream(false) })],
    ["an old workbook", makeOle(["a", "Workbook"], "", { Workbook: makeWorkbookStream() })],
    ["a 7z", makeSevenZip("plain", "clear")],
    ["a 7z whose directory is packed", makeSevenZip("plain", "packed")],
    ["a RAR 4", makeRar4([{}, {}])],
    ["a RAR 5", makeRar5([{}, {}])],
    ["two ZIPs in a row", Buffer.concat([nestedZip(2, "a"), nestedZip(1, "b")])],
    ["a tar from before POSIX", makeTar([{ name: "a", content: "hello" }], "v7")],
    ["a mail with attachments", makeMail([Buffer.from("hello"), makeZip([{ name: "a", content: "a" }])])],
    ["an old Word document of 8 MB", makeLargeOle(["WordDocument"])],
    ["a program that is a RAR", Buffer.concat([makePe(), makeRar5([{}, {}])])],
    [
      "a program that knows the beginning of a RAR under a password",
      Buffer.concat([makePe().subarray(0, -512), makeRar5([{ locked: true }]), Buffer.alloc(512)]),
    ],
    ["a program for Windows", makePe()],
    ["a program for Linux", makeElf()],
    ["a program of this machine", readFileSync(process.execPath)],
    ["archives as deep as is looked", nestedZip(LOOK_LIMITS.depth, "hello")],
    ["a text of one letter, packed", gzipSync(Buffer.alloc(500_000, "a"))],
  ])("finds nothing against %s", async (_, content) => {
    expect(await lookInside(content)).toBeUndefined();
  });

  it("finds nothing against the programs, scripts and archives that the sandbox posts", async () => {
    const benign = (await collectSamples()).filter(({ malicious }) => !malicious);
    expect(benign.length).toBeGreaterThanOrEqual(10);
    for (const { name, content } of benign) expect(await lookInside(content), name).toBeUndefined();
  });

  it("unpacks no more than it may, of all that the artifact holds together", async () => {
    const limits = { ...LOOK_LIMITS, unpackedBytes: 1000, ratio: 1_000_000 };
    const half = makeZip([{ name: "x", content: Buffer.alloc(600, "ab"), method: "stored" }]);
    const gzipped = gzipSync(half);
    const kindOf = async (content: Uint8Array) => (await lookInside(content, limits))?.kind;
    expect(await kindOf(gzipped)).toBeUndefined();
    expect(await kindOf(makeZip([{ name: "a", content: half }]))).toBeUndefined();
    expect(await kindOf(gzipSync(Buffer.alloc(2000, "ab")))).toBe("too-much");
    expect(
      await kindOf(
        makeZip([
          { name: "a", content: half },
          { name: "b", content: half },
        ]),
      ),
    ).toBe("too-much");
    expect(
      await kindOf(
        makeTar([
          { name: "a", content: gzipped },
          { name: "b", content: gzipped },
        ]),
      ),
    ).toBe("too-much");
  });

  it("stops when it is told to, and says that it has not seen everything", async () => {
    const archive = makeZip([{ name: "a", content: "a" }]);
    expect(await lookInside(archive, LOOK_LIMITS, AbortSignal.abort())).toMatchObject({ kind: "too-much" });
  });

  it("never throws, whatever became of the bytes of a sound file", async () => {
    const sound = [
      makeZip([
        { name: "a", content: "hello" },
        { name: "b.zip", content: nestedZip(2, "x") },
      ]),
      makeOffice("word", "declared"),
      makeTar([{ name: "a", content: "hello" }]),
      gzipSync("hello hello"),
      makePe(),
      makeElf(),
      ...corpus.filter(({ bytes }) => bytes.length < 8192).map(({ bytes }) => bytes),
    ];
    const wounded = fc
      .tuple(fc.constantFrom(...sound), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), fc.nat())
      .map(([bytes, wounds, cut]) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of wounds) if (copy.length > 0) copy[at % copy.length] = value;
        return cut % 3 === 0 ? copy.subarray(0, cut % (copy.length + 1)) : copy;
      });
    await fc.assert(
      fc.asyncProperty(wounded, async (bytes) => {
        const found = await lookInside(bytes);
        expect(found === undefined || found.sentence.length > 0).toBe(true);
        expect((await detectTypes(bytes, "file", "whole")).length).toBeGreaterThan(0);
      }),
      { numRuns: 400 },
    );
  });
});
