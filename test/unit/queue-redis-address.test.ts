import { expect, it } from "vitest";
import { ConfigFault } from "../../src/domain/fault.ts";
import { describeRedisAddress, parseRedisAddress } from "../../src/queue/redis-address.ts";
import { isOpen } from "../../src/queue/redis-warnings.ts";

const PLAIN = { host: "localhost", port: 6379, db: 0 };

it.each([
  ["localhost", PLAIN],
  [" localhost:6379 ", PLAIN],
  ["redis", { ...PLAIN, host: "redis" }],
  ["10.0.0.7:7000", { ...PLAIN, host: "10.0.0.7", port: 7000 }],
  ["[::1]:7000", { ...PLAIN, host: "::1", port: 7000 }],
  ["redis://localhost", PLAIN],
  ["redis://cache.example:7000/3", { host: "cache.example", port: 7000, db: 3 }],
  // As a compose file writes it when there is no password.
  ["redis://:@redis:6379", { ...PLAIN, host: "redis" }],
  ["redis://:s3cret@localhost", { ...PLAIN, password: "s3cret" }],
  ["redis://me:p%40ss@localhost/", { ...PLAIN, username: "me", password: "p@ss" }],
  ["rediss://cache.example", { ...PLAIN, host: "cache.example", tls: { servername: "cache.example" } }],
  // Node warns of an address as a server's name.
  ["rediss://127.0.0.1", { ...PLAIN, host: "127.0.0.1", tls: {} }],
  ["rediss://[::1]", { ...PLAIN, host: "::1", tls: {} }],
])("reads the Redis address %s", (text, address) => {
  expect(parseRedisAddress(text)).toEqual(address);
});

it.each([
  "",
  "localhost:",
  ":6379",
  "local host",
  "localhost:65536",
  "localhost:0",
  "localhost:redis",
  "user@localhost",
  "::1",
  "localhost/2",
  "http://localhost:6379",
  "redis://",
  "redis://localhost/two",
  "redis://localhost/1/2",
  "redis://localhost?db=2",
  "redis://:%zz@localhost",
])("refuses the Redis address '%s' in one line", (text) => {
  expect(() => parseRedisAddress(text)).toThrow(ConfigFault);
  expect(() => parseRedisAddress(text)).toThrow(expect.objectContaining({ code: "REDIS_ADDRESS_INVALID" }));
});

it("never shows user or password, neither in a description nor in a complaint", () => {
  expect(describeRedisAddress(parseRedisAddress("rediss://me:s3cret@[::1]:7000/3"))).toBe(
    "rediss://[::1]:7000/3",
  );
  expect(() => parseRedisAddress("redis://me:s3cret@localhost/x")).toThrow(/^(?!.*s3cret)/s);
});

it.each([
  ["localhost", false],
  ["LOCALHOST:7000", false],
  ["cache.localhost", false],
  ["127.0.0.1", false],
  ["127.9.9.9:7000", false],
  ["[::1]:7000", false],
  ["redis", true],
  ["10.0.0.7", true],
  ["[2001:db8::1]", true],
  ["localhost.example", true],
  ["redis://somebody@cache.example", true],
  ["redis://:s3cret@cache.example", false],
  ["rediss://cache.example", false],
])("whether the Redis at %s lets in whoever reaches it: %j", (text, open) => {
  expect(isOpen(parseRedisAddress(text))).toBe(open);
});
