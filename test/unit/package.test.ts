import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { currentNotice, noticeOf } from "../../scripts/notice.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const manifest = JSON.parse(read("package.json")) as Record<string, unknown> & {
  readonly files: readonly string[];
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

describe("the notice", () => {
  it("lists the licences of what is installed today; `npm run notice` writes it anew", () => {
    expect(read("NOTICE")).toBe(currentNotice());
  });

  it("knows each licence, among them those of web3, which are LGPL", () => {
    const notice = currentNotice();
    expect(notice).not.toMatch(/^(?:unknown|undefined)/m);
    const [, count = "", block = ""] = /^LGPL-3\.0 \((\d+)\)\n((?: {2}.*\n)+)/m.exec(notice) ?? [];
    expect(Number(count)).toBe(block.trim().split("\n").length);
    expect(block).toMatch(/^ {2}web3 4\./m);
  });

  it("leaves out tools of development, and takes a platform's part for what it belongs to", () => {
    const packages = {
      "": {},
      "node_modules/tool": { version: "1.0.0", license: "MIT", dev: true },
      "node_modules/a": { version: "1.0.0", license: "ISC", optionalDependencies: { "a-win": "1" } },
      "node_modules/a-win": { version: "1.0.0" },
      "node_modules/a/node_modules/old": { version: "2.0.0" },
    };
    const notice = noticeOf({ packages }, () => ({ licenses: [{ type: "MIT" }] }));
    expect(notice.slice(notice.indexOf("ISC (")).split("\n")).toEqual([
      "ISC (2)",
      "  a 1.0.0",
      "  a-win 1.0.0",
      "",
      "MIT (1)",
      "  old 2.0.0",
      "",
    ]);
  });
});

describe("the package", () => {
  it("says that no licence is granted, in the manifest and in the README", () => {
    expect(manifest.license).toBe("UNLICENSED");
    expect(read("README.md")).toMatch(/## Licence\n[^#]*owner/);
  });

  it("says what it is, for whom, and on what it runs", () => {
    expect(manifest).toMatchObject({
      engines: { node: ">=24" },
      keywords: expect.arrayContaining(["polyswarm"]),
    });
    expect(manifest.files).toContain("NOTICE");
  });

  it("has a run of its own for what needs no service, and says how long each takes", () => {
    const { "test:unit": units, "pretest:unit": before } = manifest.scripts as Record<string, string>;
    expect({ units, before }).toEqual({ units: "vitest run --project unit", before: undefined });
    expect(read("vitest.config.ts")).toContain('name: "unit", include: ["test/unit/**/*.test.ts"]');
    expect(read("README.md")).toMatch(/npm run test:unit .*minutes/);
    expect(read("README.md")).toMatch(/npm test .*minutes/);
    expect(read("README.md")).toMatch(/npm run trials` takes about/);
  });

  it("is packed with the sources that its maps and its exports point to", () => {
    expect(manifest.files).toEqual(expect.arrayContaining(["dist", "src"]));
    for (const { source } of Object.values(manifest.exports))
      expect(globSync(source!, { cwd: ROOT })).toHaveLength(1);
    const build = JSON.parse(read("tsconfig.build.json")) as { compilerOptions: Record<string, unknown> };
    expect(build.compilerOptions).toMatchObject({ rootDir: "src", outDir: "dist", sourceMap: true });
  });

  it("has texts that point to nothing that is not packed with them", () => {
    // npm adds these by itself.
    const packed = [...manifest.files, "README.md", "package.json"];
    const texts = ["README.md", ...globSync("{docs/**/*.md,CHANGELOG.md}", { cwd: ROOT })];
    const dangling = texts.flatMap((text) =>
      [...read(text).matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !/^[a-z]+:/.test(target))
        .map((target) => normalize(join(dirname(text), target)))
        .filter(
          (target) =>
            globSync(target.replace(/\/$/, ""), { cwd: ROOT }).length === 0 ||
            !packed.some((file) => target === file || target.startsWith(`${file}/`)),
        )
        .map((target) => `${text} > ${target}`),
    );
    expect(texts.length).toBeGreaterThan(20);
    expect(dangling).toEqual([]);
  });
});
