import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Body, BodyShape, bodyOf, variablesOf } from "../../src/scanners/http/body.ts";

const VARIABLES = new Map([["SCANNER_KEY", "k3y"]]);
// biome-ignore lint/suspicious/noTemplateCurlyInString: as descriptions name variables
const KEY = "${SCANNER_KEY}";

const artifactOf = (content: string | Uint8Array) => {
  const bytes = Buffer.from(content);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { kind: "file" as const, bytes, sha256, types: ["application/zip", "text/plain"] };
};
const sent = (content: string | Uint8Array, body: unknown): Body =>
  bodyOf(artifactOf(content), BodyShape.parse(body), VARIABLES);

/** As a service reads it, by the platform's own reader of forms. */
const received = ({ contentType, bytes }: Body): Promise<FormData> =>
  new Response(Buffer.from(bytes), { headers: { "content-type": contentType } }).formData();

describe("the body that a service is sent", () => {
  it("is the content, byte for byte, unless the description says otherwise", () => {
    const bytes = Buffer.from([0, 255, 13, 10]);
    expect(sent(bytes, "raw")).toEqual({ contentType: "application/octet-stream", bytes });
  });

  it("as a form holds any content, even one that looks like the end of its part", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (content) => {
        const form = await received(sent(content, { as: "multipart" }));
        const file = form.get("file") as File;
        expect(file.name).toBe(artifactOf(content).sha256);
        expect(file.type).toBe("application/octet-stream");
        expect(await file.bytes()).toEqual(content);
      }),
    );
    const inner = sent("x", { as: "multipart" });
    const form = await received(sent(inner.bytes, { as: "multipart" }));
    expect(await (form.get("file") as File).bytes()).toEqual(new Uint8Array(inner.bytes));
  });

  it("as a form has the names and further parts of the description, variables and what is known filled in", async () => {
    const form = await received(
      sent("hello", {
        as: "multipart",
        field: "sample",
        filename: "artifact.bin",
        fields: { apikey: KEY, hash: "{sha256}", about: "{kind}: {types}, ${x" },
      }),
    );
    const { sha256 } = artifactOf("hello");
    expect([...form].filter(([name]) => name !== "sample")).toEqual([
      ...[
        ["apikey", "k3y"],
        ["hash", sha256],
        ["about", "file: application/zip,text/plain, ${x"],
      ],
    ]);
    expect((form.get("sample") as File).name).toBe("artifact.bin");
  });

  it("as JSON has the content wherever the description puts it, and stays JSON whatever that is", () => {
    const value = { instances: [{ b64: "{base64}" }], url: "{text}", key: KEY, max: 3, deep: null };
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (content) => {
        const { contentType, bytes } = sent(content, { as: "json", value });
        expect(contentType).toBe("application/json");
        expect(JSON.parse(Buffer.from(bytes).toString())).toEqual({
          instances: [{ b64: Buffer.from(content).toString("base64") }],
          url: Buffer.from(content).toString(),
          key: "k3y",
          max: 3,
          deep: null,
        });
      }),
    );
  });

  it("looks for places in the description only, not in what a stranger wrote", () => {
    const { bytes } = sent(`${KEY} {base64} {sha256}`, { as: "json", value: "{text}" });
    expect(JSON.parse(Buffer.from(bytes).toString())).toBe(`${KEY} {base64} {sha256}`);
  });

  it("names the variables that it needs", () => {
    expect(variablesOf(BodyShape.parse({ as: "multipart", fields: { a: KEY } }))).toEqual(["SCANNER_KEY"]);
    expect(variablesOf(BodyShape.parse({ as: "json", value: ["{text}", { a: KEY }] }))).toEqual([
      "SCANNER_KEY",
    ]);
    expect(variablesOf(BodyShape.parse("raw"))).toEqual([]);
  });
});
