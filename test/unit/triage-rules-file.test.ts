import { describe, expect, it } from "vitest";
import { ConfigFault } from "../../src/domain/fault.ts";
import { parseTriageFile } from "../../src/triage/rules-file.ts";

const parse = (text: string) => parseTriageFile(text, "triage.json", ["eicar", "yara"]);

describe("a triage file", () => {
  it("gives size limit, routes and the worth of declared types", () => {
    const file = {
      maxSizeBytes: 1000,
      declaredTypes: "may-skip",
      routes: [{ types: ["application/x-elf", "text/*", "*"], backends: ["yara"] }],
    };
    expect(parse(JSON.stringify(file))).toEqual(file);
  });

  it("may say nothing at all", () => {
    expect(parse("{}")).toEqual({ routes: [] });
  });

  it.each([
    ["text that is not JSON", "{,}", "not JSON"],
    ["a misspelt key", '{"route": []}', "route"],
    ["a size that is no size", '{"maxSizeBytes": "10 MB"}', "maxSizeBytes"],
    ["a type that is no MIME type", '{"routes":[{"types":["elf"],"backends":[]}]}', "routes[0].types[0]"],
    ["a route without types", '{"routes":[{"types":[],"backends":[]}]}', "routes[0].types"],
    ["a backend that is not in use", '{"routes":[{"types":["*"],"backends":["clamav"]}]}', '"clamav"'],
  ])("is refused with %s, naming it", (_, text, named) => {
    expect(() => parse(text)).toThrow(ConfigFault);
    expect(() => parse(text)).toThrow(named);
    expect(() => parse(text)).toThrow("triage.json");
  });
});
