import fc from "fast-check";
import { expect, it } from "vitest";
import { bloomBits, bloomOf } from "../../src/sandbox/content/bloom.ts";
import { isArtifactUri } from "../../src/sandbox/content/cid.ts";
import { memoryStore } from "../../src/sandbox/content/store.ts";
import { AssertionMetadata } from "../../src/sandbox/gateway/shared/metadata-schema.ts";
import { substituteMetadata } from "../../src/sandbox/gateway/shared/substitution.ts";

const contents = fc.array(fc.uint8Array({ maxLength: 64 }), { minLength: 1, maxLength: 20 });

it("any artifacts come out of the store in order, under a content address of 46 characters", () => {
  fc.assert(
    fc.property(contents, (files) => {
      const store = memoryStore();
      const uri = store.putDirectory(files);
      expect(uri).toMatch(/^Qm[1-9A-HJ-NP-Za-km-z]{44}$/);
      expect(memoryStore().putDirectory(files)).toBe(uri);
      const links = store.list(uri)!;
      expect(links.map(({ name }) => Number(name))).toEqual(files.map((_, index) => index));
      files.forEach((content, index) => {
        expect(store.get(uri, index)).toEqual(content);
        expect(store.get(links[index]!.hash, 0)).toEqual(content);
      });
      expect(store.get(uri, files.length)).toBeUndefined();
    }),
  );
});

it("the order of artifacts is part of their address", () => {
  const [a, b] = [Buffer.from("a"), Buffer.from("b")];
  const store = memoryStore();
  expect(store.putDirectory([a, b])).not.toBe(store.putDirectory([b, a]));
  expect(store.list("QmUnknown")).toBeUndefined();
});

it("artifact URIs are base58 of fewer than 100 characters, whatever they stand for", () => {
  expect(["Qm", "1".repeat(99)].map(isArtifactUri)).toEqual([true, true]);
  expect(["", "Q".repeat(100), "bafyl", "0", "O", "I", "a b"].map(isArtifactUri)).toEqual(
    Array.from({ length: 7 }, () => false),
  );
});

it("the bloom filter is that of the protocol's example", () => {
  const cids = [
    "QmYNmQKp6SuaVrpgWRsPTgCQCnpxUYGq76YEKBXuj2N4H6",
    "QmTzQ1JRkWErjk39mryYw2WVaphAZNAREyMchXzYywCdvD",
  ];
  expect(bloomBits(cids[0]!)).toEqual([1634, 1338, 1225, 708, 1989, 1483, 1366, 474]);
  expect(bloomOf(cids)).toEqual([
    0x20080000000000000000000040000000000000000000000000n,
    0x400000000000000000000000004000000000000000000000000n,
    0x800000000000000000000000000004000000400000000000000n,
    0x200000004000000000000000000000400000000000000000000n,
    0x20000000000000n,
    0x10002000000000000000000000000000000000000000000000n,
    0x4000000000000000000000000000000000000000000000000000000n,
    0x100000000000000000000000000000000000000n,
  ]);
});

it("metadata is replaced by its document only when that is found, is JSON and fits the schema", () => {
  const store = memoryStore();
  const document = [{ malware_family: "A", note: 12345678901234567890n }];
  const told = (text: string) => substituteMetadata(store, text, AssertionMetadata);
  expect(told(store.putJson(document))).toEqual(document);

  const unfit = store.putJson([{ family: "A" }]);
  const unreadable = store.putDirectory([Buffer.from("not JSON")]);
  for (const text of ["", unfit, unreadable, "QmUnknown", "not base58 0"]) expect(told(text)).toBe(text);

  const inline = JSON.stringify([{ malware_family: "B".repeat(100) }]);
  expect(told(inline)).toEqual(JSON.parse(inline));
  expect(told("x".repeat(100))).toBe("x".repeat(100));
  expect(told('[{"malware_family":"short"}]')).toBe('[{"malware_family":"short"}]');
});
