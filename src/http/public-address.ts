/** Which IP addresses are those of machines on the public internet. */
import { BlockList, isIP } from "node:net";

/** Of IPv4: this network, private, shared (CGNAT), loopback, link-local, for protocols and documents, multicast, reserved. */
const NOT_PUBLIC_V4 = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"],
  ...["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"],
  ...["198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
];

/**
 * Of IPv6, global unicast alone is public. Not loopback, unspecified, link-local, unique-local, multicast, nor the forms that
 * hold an IPv4 address (mapped, compatible, NAT64): they are all elsewhere.
 */
const GLOBAL_V6 = ["2000::/3"];
/** Within it: for protocols (with Teredo) and documents, and 6to4, which holds an IPv4 address. */
const NOT_PUBLIC_V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

const privateV4 = listOf(NOT_PUBLIC_V4, "ipv4");
const globalV6 = listOf(GLOBAL_V6, "ipv6");
const privateV6 = listOf(NOT_PUBLIC_V6, "ipv6");

function listOf(networks: readonly string[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** Whether a text is a public IP address. */
export function isPublicAddress(text: string): boolean {
  // A zone makes an address one of this machine's own links, whatever stands before it.
  if (text.includes("%")) return false;
  const family = isIP(text);
  if (family === 4) return !privateV4.check(text, "ipv4");
  return family === 6 && globalV6.check(text, "ipv6") && !privateV6.check(text, "ipv6");
}
