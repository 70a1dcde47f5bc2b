import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPublicAddress } from "../../src/http/public-address.ts";

/** First and last address of networks that are not public, by numbers. */
const CLOSED_V4: readonly (readonly [bigint, bigint])[] = [
  [0x00000000n, 0x00ffffffn],
  [0x0a000000n, 0x0affffffn],
  [0x64400000n, 0x647fffffn],
  [0x7f000000n, 0x7fffffffn],
  [0xa9fe0000n, 0xa9feffffn],
  [0xac100000n, 0xac1fffffn],
  [0xc0000000n, 0xc00000ffn],
  [0xc0000200n, 0xc00002ffn],
  [0xc0586300n, 0xc05863ffn],
  [0xc0a80000n, 0xc0a8ffffn],
  [0xc6120000n, 0xc613ffffn],
  [0xc6336400n, 0xc63364ffn],
  [0xcb007100n, 0xcb0071ffn],
  [0xe0000000n, 0xffffffffn],
];
const CLOSED_V6: readonly (readonly [bigint, bigint])[] = [
  [0n, (0x2000n << 112n) - 1n],
  [0x2001n << 112n, (0x20010200n << 96n) - 1n],
  [0x20010db8n << 96n, (0x20010db9n << 96n) - 1n],
  [0x2002n << 112n, (0x2003n << 112n) - 1n],
  [0x3fffn << 112n, (0x3fff1n << 108n) - 1n],
  [0x4000n << 112n, (1n << 128n) - 1n],
];

const isWithin = (networks: typeof CLOSED_V4, address: bigint): boolean =>
  networks.some(([first, last]) => address >= first && address <= last);

/** Any address, and often one at an edge of a network. */
const addresses = (networks: typeof CLOSED_V4, bits: bigint): fc.Arbitrary<bigint> => {
  const edges = networks.flat().flatMap((edge) => [edge - 1n, edge, edge + 1n]);
  const inside = edges.filter((edge) => edge >= 0n && edge < 1n << bits);
  return fc.oneof(fc.bigInt({ min: 0n, max: (1n << bits) - 1n }), fc.constantFrom(...inside));
};

const v4Text = (address: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join(".");
const groups = (address: bigint): readonly string[] =>
  Array.from({ length: 8 }, (_, at) => ((address >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));

/** In the forms that an IPv6 address may be written in. */
const v6Texts = (address: bigint): readonly string[] => {
  const parts = groups(address);
  const full = parts.map((part) => part.padStart(4, "0")).join(":");
  const short = new URL(`https://[${full}]/`).hostname.slice(1, -1);
  const dotted = `${parts.slice(0, 6).join(":")}:${v4Text(address & 0xffffffffn)}`;
  return [full, full.toUpperCase(), parts.join(":"), short, dotted];
};

describe("a public address", () => {
  it("of IPv4 is in none of the networks that are not", () => {
    fc.assert(
      fc.property(addresses(CLOSED_V4, 32n), (address) => {
        expect(isPublicAddress(v4Text(address))).toBe(!isWithin(CLOSED_V4, address));
      }),
      { numRuns: 2_000 },
    );
  });

  it("of IPv6 is global unicast, however it is written", () => {
    fc.assert(
      fc.property(addresses(CLOSED_V6, 128n), (address) => {
        for (const text of v6Texts(address))
          expect(isPublicAddress(text)).toBe(!isWithin(CLOSED_V6, address));
      }),
      { numRuns: 2_000 },
    );
  });

  it("is none that holds an IPv4 address: mapped, compatible, translated or by 6to4", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 0xffffffffn }), (v4) => {
        const holders = [(0xffffn << 32n) | v4, v4, (0x64ff9bn << 96n) | v4, (0x2002n << 112n) | (v4 << 80n)];
        for (const text of holders.flatMap(v6Texts)) expect(isPublicAddress(text)).toBe(false);
      }),
    );
  });

  it.each([
    ...["127.0.0.1", "10.1.2.3", "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.100.100.200"],
    ...["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254"],
    ...[
      "fc00::1",
      "ff02::1",
      "::ffff:127.0.0.1",
      "::ffff:8.8.8.8",
      "::7f00:1",
      "64:ff9b::a00:1",
      "2002:7f00:1::",
    ],
    ...["", "localhost", "8.8.8", "0x08080808", "8.8.8.8:443", "[2606:4700::1]", "2606:4700::1%eth0"],
  ])("is not %j", (text) => {
    expect(isPublicAddress(text)).toBe(false);
  });

  it.each(["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2A00:1450:4001::8A"])(
    "is %s",
    (text) => {
      expect(isPublicAddress(text)).toBe(true);
    },
  );
});
