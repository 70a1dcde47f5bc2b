import { describe, expect, it } from "vitest";
import { yamlComplaint } from "../../src/json/yaml-text.ts";
import { parseDescription } from "../../src/scanners/described/described.ts";
import { resolveBackend } from "../../src/scanners/registry.ts";
import { parseTriageFile } from "../../src/triage/rules-file.ts";

const YAML = "# my tool\ntype: exec\ncommand: [tool]\n";

describe("YAML where JSON is wanted", () => {
  it("is named for what it is in the description of a backend, also in a file that says so", () => {
    expect(() => parseDescription(YAML, "tool.json")).toThrow(/^tool\.json is YAML, and JSON is wanted here/);
    expect(resolveBackend("./tool.yaml").settings).toEqual({ file: expect.stringMatching(/tool\.yaml$/) });
  });

  it("is named for what it is in a triage file", () => {
    expect(() => parseTriageFile("routes:\n  - types: [text/*]\n", "t.json", [])).toThrow(
      /it is YAML, and JSON is wanted/,
    );
  });

  it.each(["---\na: 1\n", "- a\n- b\n", "\ufeffkey: value", '"quoted key": 1', "maxSizeBytes:\n  1"])(
    "is seen in %j",
    (text) => expect(yamlComplaint(text)).toMatch(/^is YAML/),
  );

  it.each(["{ type: 'exec' }", "[1, 2", "hello world", "", "<html>", "http://x.example/y"])(
    "is not seen in %j",
    (text) => expect(yamlComplaint(text)).toBeUndefined(),
  );
});
