import { expect, it } from "vitest";
import { ConfigFault } from "../../src/domain/fault.ts";
import { describeRedisAddress, parseRedisAddress } from "../../src/redis/address.ts";
import { isOpen } from "../../src/redis/warnings.ts";

const PLAIN = { kind: "one", host: "localhost", port: 6379, db: 0 };

it.each([
  ["localhost", PLAIN],
  [" localhost:6379 ", PLAIN],
  ["redis", { ...PLAIN, host: "redis" }],
  ["10.0.0.7:7000", { ...PLAIN, host: "10.0.0.7", port: 7000 }],
  ["[::1]:7000", { ...PLAIN, host: "::1", port: 7000 }],
  ["redis://localhost", PLAIN],
  ["redis://cache.example:7000/3", { kind: "one", host: "cache.example", port: 7000, db: 3 }],
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

const [A, B] = [
  { host: "10.0.0.1", port: 7000 },
  { host: "b.example", port: 6379 },
];

it.each([
  ["redis-cluster://10.0.0.1:7000", { kind: "cluster", nodes: [A] }],
  ["redis-cluster://10.0.0.1:7000,b.example", { kind: "cluster", nodes: [A, B] }],
  ["redis://10.0.0.1:7000,b.example:6379", { kind: "cluster", nodes: [A, B] }],
  ["10.0.0.1:7000,b.example:6379", { kind: "cluster", nodes: [A, B] }],
  ["redis-cluster://10.0.0.1:7000/0", { kind: "cluster", nodes: [A] }],
  [
    "redis-cluster://[::1]:7000,[::2]:7001",
    {
      kind: "cluster",
      nodes: [
        { host: "::1", port: 7000 },
        { host: "::2", port: 7001 },
      ],
    },
  ],
  [
    "redis-cluster://me:p%40ss@10.0.0.1:7000,b.example",
    {
      kind: "cluster",
      nodes: [A, B],
      username: "me",
      password: "p@ss",
    },
  ],
  [
    "rediss-cluster://:s3cret@10.0.0.1:7000,b.example",
    {
      kind: "cluster",
      nodes: [A, B],
      password: "s3cret",
      tls: {},
    },
  ],
  ["rediss://10.0.0.1:7000,b.example", { kind: "cluster", nodes: [A, B], tls: {} }],
])("reads the address of a Cluster, %s", (text, address) => {
  expect(parseRedisAddress(text)).toEqual(address);
});

const SENTINELS = [
  { host: "10.0.0.1", port: 7000 },
  { host: "b.example", port: 26379 },
];

it.each([
  ["redis-sentinel://10.0.0.1:7000,b.example/engine", { sentinels: SENTINELS, master: "engine", db: 0 }],
  ["sentinel://10.0.0.1:7000,b.example/engine", { sentinels: SENTINELS, master: "engine", db: 0 }],
  ["redis-sentinel://10.0.0.1:7000,b.example/engine/3", { sentinels: SENTINELS, master: "engine", db: 3 }],
  [
    "rediss-sentinel://10.0.0.1:7000,b.example/engine",
    { sentinels: SENTINELS, master: "engine", db: 0, tls: {} },
  ],
  [
    "redis-sentinel://me:s3cret@10.0.0.1:7000,b.example/engine?sentinel-user=you&sentinel-password=p%40ss",
    {
      sentinels: SENTINELS,
      master: "engine",
      db: 0,
      username: "me",
      password: "s3cret",
      sentinelUsername: "you",
      sentinelPassword: "p@ss",
    },
  ],
])("reads the address of Sentinels, %s", (text, address) => {
  expect(parseRedisAddress(text)).toEqual({ kind: "sentinel", ...address });
});

it.each([
  "",
  "redis-cluster://",
  "redis-cluster://a,",
  "redis-cluster://a/1",
  "redis-cluster://a?db=1",
  "redis://a,b/3",
  "a:1,b:x",
  "sentinel://a,b",
  "sentinel://a,b/",
  "sentinel://a/engine/x",
  "sentinel://a/engine/1/2",
  "sentinel://a/engine?password=x",
  "sentinel:///engine",
  "sentinel://a/engine#x",
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
  for (const text of [
    "redis://me:s3cret@localhost/x",
    "redis-cluster://me:s3cret@a,b:x",
    "sentinel://me:s3cret@a,b",
    "sentinel://a/engine?sentinel-password=s3cret&other=1",
  ]) {
    expect(() => parseRedisAddress(text)).toThrow(/^(?!.*s3cret)/s);
  }
  expect(describeRedisAddress(parseRedisAddress("rediss://me:s3cret@a,b:7000"))).toBe(
    "rediss-cluster://a:6379,b:7000",
  );
  const sentinels = "sentinel://me:s3cret@a,[::1]:7000/engine/2?sentinel-password=s3cret";
  expect(describeRedisAddress(parseRedisAddress(sentinels))).toBe(
    "redis-sentinel://a:26379,[::1]:7000/engine/2",
  );
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
  ["redis-cluster://127.0.0.1,[::1]", false],
  ["redis-cluster://127.0.0.1,cache.example", true],
  ["rediss-cluster://cache.example", false],
  ["sentinel://cache.example/engine", true],
  ["sentinel://:s3cret@cache.example/engine", false],
])("whether the Redis at %s lets in whoever reaches it: %j", (text, open) => {
  expect(isOpen(parseRedisAddress(text))).toBe(open);
});
