import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../../src/", import.meta.url));

/** Entries of the log as the sources write them: the fields that are given by name, and the event. */
const ENTRY = /(?:\blog\.(?!child\b)\w+\(|\btell\("[a-z.-]+",)\s*\{([^{}]*)\}/gi;
const OWN = ["level", "time", "pid", "name", "msg"];

const fieldsIn = (text: string): readonly string[] =>
  [...text.matchAll(ENTRY)].flatMap(([, fields = ""]) =>
    fields.split(",").map((field) => field.split(":")[0]?.trim() ?? ""),
  );

describe("the fields of the log's entries", () => {
  it("have no name that every entry has already, which JSON would hold twice and text leave out", () => {
    const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".ts"),
    );
    const fields = files.flatMap((file) =>
      fieldsIn(readFileSync(`${SRC}${file}`, "utf8")).map((field) => ({ file, field })),
    );
    expect(fields.length).toBeGreaterThan(100);
    expect(fields.filter(({ field }) => OWN.includes(field))).toEqual([]);
  });
});
