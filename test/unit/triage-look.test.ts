import { describe, expect, it } from "vitest";
import { NO_CLAIM } from "../../src/domain/artifact.ts";
import { TRIAGE_HEAD_BYTES } from "../../src/triage/detect.ts";
import { MOST_LOOK_BYTES } from "../../src/triage/formats/far-types.ts";
import { type ReadHead, triageByContent } from "../../src/triage/looks/look.ts";
import { type TriageRules, triage } from "../../src/triage/triage.ts";
import { noise } from "../fixtures/hostile/corpus.ts";
import { GIF, makeOffice } from "../fixtures/hostile/make-file.ts";
import { makeZip } from "../fixtures/hostile/make-zip.ts";
import { makeDisc, makeDmg } from "../fixtures/make-image.ts";

const ALL = { name: "all", accepts: {} } as const;
const SPECIAL = { name: "special", accepts: {} } as const;
const routing = (...types: readonly string[]): TriageRules => ({
  artifactKinds: ["file"],
  maxSizeBytes: 64 * 1024 * 1024,
  backends: [ALL, SPECIAL],
  routes: [
    { types, backends: ["special"] },
    { types: ["*"], backends: ["all"] },
  ],
});

const FILE = { kind: "file", claim: NO_CLAIM } as const;

const looked = (rules: TriageRules, readHead: ReadHead, signal = new AbortController().signal) =>
  triageByContent(FILE, rules, readHead, signal);

/** A content as a gateway serves it, and how much of it was asked for. */
function served(content: Uint8Array) {
  const asked: number[] = [];
  return {
    asked,
    readHead: async (bytes: number) => {
      asked.push(bytes);
      return content.subarray(0, bytes);
    },
  };
}

describe("a look at an artifact", () => {
  it.each([
    ["a disc", makeDisc(["CD001"], noise(30_000)), "application/x-iso9660-image"],
    ["a UDF", makeDisc(["BEA01", "NSR02"], noise(30_000)), "application/x-udf-image"],
    ["a disk image of Apple", makeDmg(200_000), "application/x-apple-diskimage"],
    [
      "slides behind a large picture",
      makeZip([
        { name: "media/a.png", content: noise(200_000), method: "stored" },
        { name: "[Content_Types].xml", content: "<Types/>" },
        { name: "ppt/presentation.xml", content: "x" },
      ]),
      "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ],
  ])("goes as far as a rule needs: %s", async (_, content, type) => {
    const { asked, readHead } = served(content);
    expect(await looked(routing(type), readHead)).toEqual({
      kind: "scan",
      backends: ["special"],
    });
    expect(asked[0]).toBe(TRIAGE_HEAD_BYTES);
    expect(asked).toHaveLength(2);
  });

  it.each([
    ["no rule asks for more", makeDisc(["CD001"], noise(30_000)), "application/x-elf"],
    ["the beginning is something else than a disk", noise(200_000), "application/pdf"],
    ["the beginning is all there is", noise(1000), "application/x-iso9660-image"],
    [
      "the rule is for what the beginning shows",
      makeOffice("word", undefined, [{ name: "word/a", content: noise(50_000) }]),
      "application/zip",
    ],
  ])("ends with the beginning where %s", async (_, content, type) => {
    const { asked, readHead } = served(content);
    await looked(routing(type), readHead);
    expect(asked).toEqual([TRIAGE_HEAD_BYTES]);
  });

  it("fetches no picture whole for a rule about disk images", async () => {
    const { asked, readHead } = served(Buffer.concat([GIF, noise(200_000)]));
    await looked(routing("application/x-apple-diskimage"), readHead);
    expect(asked).toEqual([TRIAGE_HEAD_BYTES]);
  });

  it("reads no more of a huge content than its bound, and then decides by what it saw", async () => {
    const asked: number[] = [];
    const huge = async (bytes: number): Promise<Uint8Array> => {
      asked.push(bytes);
      return Buffer.alloc(bytes, "\xab\0", "latin1");
    };
    const decision = await looked(routing("application/x-apple-diskimage"), huge);
    expect(decision).toEqual({ kind: "scan", backends: ["all"] });
    expect(asked).toEqual([TRIAGE_HEAD_BYTES, MOST_LOOK_BYTES]);
  });

  it("decides by the beginning when no more can be read, and throws when that cannot", async () => {
    const cut = async (bytes: number): Promise<Uint8Array> => {
      if (bytes > TRIAGE_HEAD_BYTES) throw new Error("no more");
      return Buffer.alloc(bytes, "\xab\0", "latin1");
    };
    const rules = routing("application/x-iso9660-image");
    expect(await looked(rules, cut)).toEqual({ kind: "scan", backends: ["all"] });
    await expect(looked(rules, () => Promise.reject(new Error("gone")))).rejects.toThrow("gone");
  });

  it("has one large content in memory at a time", async () => {
    let [open, most] = [0, 0];
    const slow = async (bytes: number): Promise<Uint8Array> => {
      if (bytes <= TRIAGE_HEAD_BYTES) return Buffer.alloc(bytes, "\xab\0", "latin1");
      most = Math.max(most, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      return Buffer.alloc(100_000);
    };
    const rules = routing("application/x-apple-diskimage");
    await Promise.all(Array.from({ length: 20 }, () => looked(rules, slow)));
    expect(most).toBe(1);
  });
});

describe("a look whose time is up", () => {
  it("decides by the beginning, also while another one reads on", async () => {
    const rules = routing("application/x-apple-diskimage");
    const hanging = Promise.withResolvers<Uint8Array>();
    const begun = Promise.withResolvers<void>();
    const slow = looked(rules, async (bytes) => {
      if (bytes <= TRIAGE_HEAD_BYTES) return Buffer.alloc(bytes);
      begun.resolve();
      return hanging.promise;
    });
    await begun.promise;
    const stop = new AbortController();
    const { asked, readHead } = served(Buffer.alloc(100_000));
    const waiting = looked(
      rules,
      async (bytes) => {
        const head = await readHead(bytes);
        setImmediate(() => stop.abort());
        return head;
      },
      stop.signal,
    );
    expect(await waiting).toEqual({ kind: "scan", backends: ["all"] });
    expect(asked).toEqual([TRIAGE_HEAD_BYTES]);
    hanging.resolve(makeDmg(100_000));
    expect(await slow).toEqual({ kind: "scan", backends: ["special"] });
  });
});

describe("a route that leaves pictures alone", () => {
  const rules: TriageRules = {
    artifactKinds: ["file"],
    maxSizeBytes: 1000,
    backends: [ALL],
    routes: [{ types: ["image/*"], backends: [] }],
  };
  const decided = (types: readonly string[]) => triage({ ...FILE, types, sizeBytes: 100 }, rules);

  it("leaves what is a picture and nothing else", () => {
    expect(decided(["image/gif"])).toMatchObject({ kind: "skip", reason: "routed-nowhere" });
    expect(decided(["image/svg+xml", "application/xml", "text/plain"])).toMatchObject({ kind: "skip" });
  });

  it.each([
    [["text/x-php", "image/gif", "text/plain"]],
    [["text/x-php", "image/jpeg"]],
    [["application/java-archive", "image/gif", "application/zip"]],
    [["application/hta", "text/vbscript", "image/png"]],
  ])("does not hold for a picture that is a script or an archive as well: %j", (types) => {
    expect(decided(types)).toEqual({ kind: "scan", backends: ["all"] });
  });

  it("leaves one alone that is both when the other type is named as well", () => {
    const both = { ...rules, routes: [{ types: ["image/*", "text/x-php", "text/plain"], backends: [] }] };
    expect(triage({ ...FILE, types: ["text/x-php", "image/gif", "text/plain"] }, both)).toMatchObject({
      kind: "skip",
    });
  });
});
