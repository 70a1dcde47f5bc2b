import { expect, it } from "vitest";
import { typeClassOf } from "../../src/distill/experience/type-class.ts";

it.each([
  ["executable", ["application/x-msdownload"]],
  ["executable", ["application/vnd.microsoft.portable-executable"]],
  ["executable", ["application/x-sharedlib"]],
  ["executable", ["application/java-archive", "application/zip"]],
  ["executable", ["application/vnd.android.package-archive", "application/zip"]],
  ["script", ["text/x-shellscript", "text/plain"]],
  ["script", ["text/javascript"]],
  ["document", ["application/pdf"]],
  [
    "document",
    ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/zip"],
  ],
  ["document", ["application/msword", "application/x-cfb"]],
  ["archive", ["application/vnd.ms-cab-compressed"]],
  ["archive", ["application/x-7z-compressed"]],
  ["text", ["text/html; charset=utf-8"]],
  ["media", ["image/png"]],
  ["url", ["text/x-url"]],
  ["other", ["application/octet-stream"]],
  ["other", []],
] as const)("%s is the class of %j", (typeClass, types) => {
  expect(typeClassOf(types)).toBe(typeClass);
});

it("goes by the most specific type that has a class", () => {
  expect(typeClassOf(["application/x-nobody-knows", "application/zip"])).toBe("archive");
});
