/**
 * What a service is sent: the content as it is, in a form as a browser uploads it, or inside a JSON document. Pure.
 *
 * Texts of a description hold places: `{sha256}`, `{types}` and `{kind}` of the artifact, `{text}` and `{base64}` for its
 * content, `${SCANNER_...}` for a variable of the consumer. All are filled in one pass, so what a stranger wrote is never
 * looked at for places.
 */
import { z } from "zod";
import type { Artifact } from "../contract.ts";

/** What a body is made from. Whatever an ambassador claims is not among it. */
type BodyArtifact = Pick<Artifact, "kind" | "bytes" | "sha256" | "types">;

/** `${NAME}` in a text: the value of that variable. */
export const VARIABLE = /\$\{([^}]*)\}/g;
/** Other variables do not reach a scanner. */
const SCANNER_VARIABLE = /^SCANNER_[A-Za-z0-9_]+$/;
const PLACE = /\$\{([^}]*)\}|\{(sha256|types|kind|text|base64)\}/g;

const ONLY_OURS = "may name variables that begin with SCANNER_ only, such as SCANNER_TOKEN";
const isTemplate = (text: string): boolean => variablesIn(text).every((name) => SCANNER_VARIABLE.test(name));

/** A text with variables in it. */
export const Template = z.string().refine(isTemplate, ONLY_OURS);

/** Stands between double quotes in a header of its part. */
const partName = z.string().regex(/^[\x20-\x21\x23-\x7e]+$/, "must be printable ASCII without double quotes");

const shortHand = (value: unknown): unknown => (value === "raw" ? { as: value } : value);

export const BodyShape = z.preprocess(
  shortHand,
  z.discriminatedUnion(
    "as",
    [
      z.strictObject({ as: z.literal("raw") }),
      z.strictObject({
        as: z.literal("multipart"),
        /** Name of the part that is the content. */
        field: partName.default("file"),
        filename: partName.default("{sha256}"),
        /** Further parts, before the content. */
        fields: z.record(partName, Template).default({}),
      }),
      z.strictObject({
        as: z.literal("json"),
        value: z
          .json()
          .refine(showsArtifact, "has nothing of the artifact in it, such as {base64}")
          .refine((value) => textsIn(value).every(isTemplate), ONLY_OURS),
      }),
    ],
    { error: 'must be "raw", { "as": "multipart", … } or { "as": "json", … }' },
  ),
);
type BodyMap = z.infer<typeof BodyShape>;

function showsArtifact(value: z.core.util.JSONType): boolean {
  return textsIn(value).some((text) => /\{(?:sha256|text|base64)\}/.test(text));
}

export interface Body {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** `variables` has a value for every name in `variablesOf(map)`. */
export function bodyOf(artifact: BodyArtifact, map: BodyMap, variables: ReadonlyMap<string, string>): Body {
  switch (map.as) {
    case "raw":
      return { contentType: "application/octet-stream", bytes: artifact.bytes };
    case "multipart":
      return multipart(artifact, map, variables);
    case "json": {
      const text = JSON.stringify(map.value, (_, value: unknown) =>
        typeof value === "string" ? filled(value, artifact, variables) : value,
      );
      return { contentType: "application/json", bytes: Buffer.from(text) };
    }
  }
}

/** Source: RFC 7578. */
function multipart(
  artifact: BodyArtifact,
  { field, filename, fields }: Extract<BodyMap, { as: "multipart" }>,
  variables: ReadonlyMap<string, string>,
): Body {
  // No content can hold its own hash, so none can end its part early and go on with parts of its own.
  const boundary = `artifact-${artifact.sha256}`;
  const part = (name: string): string => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"`;
  const others = Object.entries(fields).map(
    ([name, text]) => `${part(name)}\r\n\r\n${filled(text, artifact, variables)}\r\n`,
  );
  const ours = `${part(field)}; filename="${filled(filename, artifact, variables)}"\r\ncontent-type: application/octet-stream\r\n\r\n`;
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    bytes: Buffer.concat([
      Buffer.from(others.join("") + ours),
      artifact.bytes,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
  };
}

function filled(template: string, artifact: BodyArtifact, variables: ReadonlyMap<string, string>): string {
  return template.replaceAll(PLACE, (whole, variable?: string, place?: string) => {
    switch (place) {
      case "sha256":
      case "kind":
        return artifact[place];
      case "types":
        return artifact.types.join(",");
      case "text":
        return Buffer.from(artifact.bytes).toString("utf8");
      case "base64":
        return Buffer.from(artifact.bytes).toString("base64");
      default:
        return variables.get(variable ?? "") ?? whole;
    }
  });
}

/** Names of the variables that a text holds. */
export const variablesIn = (text: string): readonly string[] =>
  [...text.matchAll(VARIABLE)].map(([, name]) => name!);

/** Names of the variables that a body needs. */
export function variablesOf(map: BodyMap): readonly string[] {
  if (map.as === "raw") return [];
  const texts = map.as === "multipart" ? Object.values(map.fields) : textsIn(map.value);
  return texts.flatMap(variablesIn);
}

/** Every text that a JSON value holds, keys left out. */
function textsIn(value: z.core.util.JSONType): readonly string[] {
  if (typeof value === "string") return [value];
  if (value === null || typeof value !== "object") return [];
  return Object.values(value).flatMap(textsIn);
}
