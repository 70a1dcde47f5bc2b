import { describe, expect, it } from "vitest";
import { NO_CLAIM } from "../../src/domain/artifact.ts";
import { type TriageArtifact, type TriageRules, triage } from "../../src/triage/triage.ts";

const EVERYTHING = { name: "all", accepts: { kinds: ["file", "url"] } } as const;
const ELF = { name: "elf", accepts: { types: ["application/x-elf"] } } as const;
const SCRIPTS = { name: "scripts", accepts: { types: ["text/*"], maxSizeBytes: 1000 } } as const;
const URLS = { name: "urls", accepts: { kinds: ["url"] } } as const;

const rules = (changes: Partial<TriageRules> = {}): TriageRules => ({
  artifactKinds: ["file", "url"],
  maxSizeBytes: 10_000,
  backends: [EVERYTHING, ELF, SCRIPTS, URLS],
  routes: [],
  ...changes,
});

const file = (known: Partial<TriageArtifact> = {}): TriageArtifact => ({
  kind: "file",
  claim: NO_CLAIM,
  ...known,
});
const declared = (claim: { sizeBytes?: number; mimetype?: string }): TriageArtifact =>
  file({ claim: { ...claim, raw: {} } });

describe("triage, from what is in the artifact to who looks at it", () => {
  it.each([
    ["an ELF binary", ["application/x-elf"], ["all", "elf"]],
    ["a shell script", ["text/x-shellscript", "text/plain"], ["all", "scripts"]],
    ["a plain text", ["text/plain"], ["all", "scripts"]],
    ["unrecognised bytes", ["application/octet-stream"], ["all"]],
    ["an ELF binary under libmagic's name", ["application/x-pie-executable"], ["all", "elf"]],
    [
      "a script that is an ELF as well",
      ["text/x-shellscript", "application/x-elf"],
      ["all", "elf", "scripts"],
    ],
    ["nothing at all", ["application/x-empty"], ["all"]],
  ])("sends %s to every backend that takes it", (_, types, backends) => {
    expect(triage(file({ types, sizeBytes: 100 }), rules())).toEqual({ kind: "scan", backends });
  });

  it.each([
    ["a ZIP", { types: ["application/zip"] }, "type-not-accepted"],
    ["an empty file", { types: ["application/x-empty"], sizeBytes: 0 }, "empty"],
    [
      "a text too long for the only backend that reads text",
      { types: ["text/plain"], sizeBytes: 2000 },
      "type-not-accepted",
    ],
    ["a file over the operator's limit", { types: ["application/x-elf"], sizeBytes: 10_001 }, "too-large"],
  ] as const)("skips %s with a reason when nobody takes it", (_, known, reason) => {
    expect(triage(file(known), rules({ backends: [ELF, SCRIPTS] }))).toMatchObject({ kind: "skip", reason });
  });

  it("says too-large when only the size is in the way", () => {
    const only = rules({ backends: [SCRIPTS] });
    expect(triage(file({ types: ["text/plain"], sizeBytes: 2000 }), only)).toMatchObject({
      reason: "too-large",
    });
  });
});

describe("triage, before anybody looked", () => {
  it("scans without a look when neither a backend nor a route cares about types", () => {
    expect(triage(file(), rules({ backends: [EVERYTHING] }))).toEqual({ kind: "scan", backends: ["all"] });
  });

  it("asks for a look when a backend's answer depends on the type", () => {
    expect(triage(file(), rules())).toMatchObject({ kind: "look", bytes: expect.any(Number) });
  });

  it("knows what a URL artifact is without fetching it", () => {
    expect(triage({ kind: "url", claim: NO_CLAIM }, rules())).toEqual({
      kind: "scan",
      backends: ["all", "urls"],
    });
  });

  it("skips a kind the operator does not take", () => {
    const filesOnly = rules({ artifactKinds: ["file"] });
    expect(triage({ kind: "url", claim: NO_CLAIM }, filesOnly)).toMatchObject({
      kind: "skip",
      reason: "wrong-kind",
    });
  });

  it("skips a kind no backend takes", () => {
    expect(triage(file(), rules({ backends: [URLS] }))).toMatchObject({ kind: "skip", reason: "wrong-kind" });
  });

  it("skips by a declared size over every limit, without a look", () => {
    expect(triage(declared({ sizeBytes: 20_000 }), rules())).toMatchObject({
      kind: "skip",
      reason: "too-large",
    });
    expect(triage(declared({ sizeBytes: 2000 }), rules({ backends: [SCRIPTS] }))).toMatchObject({
      kind: "skip",
      reason: "too-large",
    });
  });

  it("believes a measured size rather than a declared one", () => {
    const lying = { ...declared({ sizeBytes: 20_000 }), types: ["application/x-elf"], sizeBytes: 100 };
    expect(triage(lying, rules())).toEqual({ kind: "scan", backends: ["all", "elf"] });
  });

  it("lets a declared type decide nothing, unless the operator says it may skip", () => {
    const picture = declared({ mimetype: "image/png" });
    const only = { backends: [ELF] };
    expect(triage(picture, rules(only))).toMatchObject({ kind: "look" });
    expect(triage(picture, rules({ ...only, declaredTypes: "may-skip" }))).toMatchObject({
      kind: "skip",
      reason: "type-not-accepted",
    });
  });

  it("never scans on a declared type alone", () => {
    const claimed = declared({ mimetype: "application/x-elf" });
    expect(triage(claimed, rules({ backends: [ELF], declaredTypes: "may-skip" }))).toMatchObject({
      kind: "look",
    });
  });
});

describe("triage routes", () => {
  const routed = (routes: TriageRules["routes"]) => rules({ routes });

  it("sends a routed type to the named backends only", () => {
    const elfOnly = routed([{ types: ["application/x-elf"], backends: ["elf"] }]);
    expect(triage(file({ types: ["application/x-elf"] }), elfOnly)).toEqual({
      kind: "scan",
      backends: ["elf"],
    });
  });

  it("lets the first matching route win", () => {
    const twice = routed([
      { types: ["text/x-python"], backends: ["all"] },
      { types: ["text/*"], backends: ["scripts"] },
    ]);
    expect(triage(file({ types: ["text/x-python", "text/plain"] }), twice)).toEqual({
      kind: "scan",
      backends: ["all"],
    });
    expect(triage(file({ types: ["text/plain"] }), twice)).toEqual({ kind: "scan", backends: ["scripts"] });
  });

  it("skips what is routed to nobody", () => {
    const noPictures = routed([{ types: ["image/*"], backends: [] }]);
    expect(triage(file({ types: ["image/png"] }), noPictures)).toMatchObject({
      kind: "skip",
      reason: "routed-nowhere",
    });
    expect(triage(file(), { ...noPictures, backends: [EVERYTHING] })).toMatchObject({ kind: "look" });
  });

  it("leaves what no route names to every backend that takes it", () => {
    const elfOnly = routed([{ types: ["application/x-elf"], backends: ["elf"] }]);
    expect(triage(file({ types: ["image/png"] }), elfOnly)).toEqual({ kind: "scan", backends: ["all"] });
  });

  it("does not make a backend take what it refuses", () => {
    const forced = routed([{ types: ["*"], backends: ["elf"] }]);
    expect(triage(file({ types: ["image/png"] }), forced)).toMatchObject({
      kind: "skip",
      reason: "type-not-accepted",
    });
  });

  it("needs no look for a route that matches everything", () => {
    expect(triage(file(), routed([{ types: ["*"], backends: ["all"] }]))).toEqual({
      kind: "scan",
      backends: ["all"],
    });
  });
});
