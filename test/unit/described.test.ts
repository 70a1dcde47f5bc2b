import { describe, expect, it } from "vitest";
import { parseDescription } from "../../src/scanners/described/described.ts";

const common = { name: "tool", version: "1.0.0" };
const EXEC = { ...common, type: "exec", command: ["true"] };
const HTTP = { ...common, type: "http", url: "https://scanner.example/scan" };
const parse = (description: object) => parseDescription(JSON.stringify(description), "tool.json");

describe("the description of a backend", () => {
  it("needs no more than how to reach it and what its answer means", () => {
    expect(parse({ ...EXEC, answer: {} })).toMatchObject({
      type: "exec",
      maxOutputBytes: 1_048_576,
      accepts: {},
    });
    expect(parse(HTTP)).toMatchObject({
      statuses: { "200": { verdict: "answer" } },
      maxAnswerBytes: 1_048_576,
    });
  });

  it("may begin with the mark that editors of Windows leave", () => {
    const text = `\uFEFF${JSON.stringify({ ...EXEC, answer: {} })}`;
    expect(parseDescription(text, "tool.json")).toMatchObject({ name: "tool" });
  });

  it("says what is missing, and which key is none rather than what is missing because of it", () => {
    expect(() => parse(EXEC)).toThrow("tool.json: exitCodes is wrong (say what exit codes mean");
    const { command, ...rest } = EXEC;
    expect(() => parse({ ...rest, answer: {} })).toThrow("tool.json: command is missing.");
    expect(() => parse({ ...rest, answer: {}, command: [] })).toThrow("tool.json: command.0 is missing.");
    expect(() => parse({ ...rest, answer: {}, comand: command })).toThrow(
      'tool.json: the description is wrong (Unrecognized key: "comand").',
    );
  });

  it.each<[field: string, description: object, words: string]>([
    ["exitCodes.1.verdict", { ...EXEC, exitCodes: { "1": "bad" } }, "malicious"],
    [
      "exitCodes.1.confidence",
      { ...EXEC, exitCodes: { "1": { verdict: "malicious", confidence: 90 } } },
      "<=1",
    ],
    ["exitCodes.one", { ...EXEC, exitCodes: { one: "malicious" } }, "a number of up to three digits"],
    ["exitCodes", EXEC, "say what exit codes mean"],
    ["answer", { ...EXEC, exitCodes: { "0": "answer" } }, "is missing"],
    ["exitCodes", { ...EXEC, exitCodes: { "0": "unknown" }, answer: {} }, 'none means "answer"'],
    ["answer.verdict", { ...EXEC, answer: { verdict: "verdict" } }, "JSON pointer"],
    ["answer.verdicts.clean.verdict", { ...EXEC, answer: { verdicts: { clean: "clean" } } }, "benign"],
    ["command", { ...EXEC, command: "true", answer: {} }, "must be a list, like"],
    ["name", { ...EXEC, name: "My Tool", answer: {} }, "lower-case"],
    ["version", { ...EXEC, version: "1", answer: {} }, "three numbers"],
    ["type", { ...EXEC, type: "wasm" }, '"exec" or "http"'],
    ["accepts", { ...EXEC, accepts: { type: ["text/*"] }, answer: {} }, "type"],
    ["the description", { ...EXEC, comand: ["x"], answer: {} }, "comand"],
    ["url", { ...HTTP, url: "ftp://scanner.example" }, "http:// or https://"],
    ["url", { ...HTTP, url: "scanner.example" }, "http:// or https://"],
    ["headers.authorization", { ...HTTP, headers: { authorization: "$\u007bAPI_KEY}" } }, "SCANNER_"],
    ["headers.a", { ...HTTP, headers: { a: "x\r\nb: y" } }, "cannot carry"],
    ["headers.a b", { ...HTTP, headers: { "a b": "x" } }, ""],
    ["statuses.200.verdict", { ...HTTP, statuses: { "200": "ok" } }, "answer"],
    ["body", { ...HTTP, body: "form" }, '"raw"'],
    ["body", { ...HTTP, body: { as: "multipart", feild: "a" } }, "feild"],
    ["body.field", { ...HTTP, body: { as: "multipart", field: 'a"b' } }, "without double quotes"],
    ["body.fields.a", { ...HTTP, body: { as: "multipart", fields: { a: "$\u007bHOME}" } } }, "SCANNER_"],
    ["body.value", { ...HTTP, body: { as: "json", value: { file: "base64" } } }, "nothing of the artifact"],
    ["body.value", { ...HTTP, body: { as: "json", value: "{text} $\u007bHOME}" } }, "SCANNER_"],
    ["body", { ...HTTP, method: "GET", url: "http://a.example/{sha256}", body: "raw" }, "not sent with GET"],
    ["url", { ...HTTP, method: "GET" }, "{sha256}"],
    [
      "headers",
      { ...HTTP, body: { as: "multipart" }, headers: { "Content-Type": "multipart/form-data" } },
      "boundary",
    ],
    ["maxAnswerBytes", { ...HTTP, maxAnswerBytes: 0 }, ""],
  ])("names the file and %s when that is wrong", (field, description, words) => {
    expect(() => parse(description)).toThrow(
      expect.objectContaining({ name: "ConfigFault", code: "DESCRIPTION_INVALID" }),
    );
    expect(() => parse(description)).toThrow(
      new RegExp(`^tool.json: ${field} is wrong \\(.*${words}.*\\)\\.$`),
    );
  });
});
