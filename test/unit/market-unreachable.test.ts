import { describe, expect, it } from "vitest";
import { readResult } from "../../src/market/onchain/http/answer.ts";
import { transitFault } from "../../src/market/onchain/http/transit-faults.ts";
import { gatewayUnreachable, whyUnreachable } from "../../src/market/onchain/http/unreachable.ts";

const HTTP = { base: "http://h:1", schemeAssumed: false };
const HTTPS = { base: "https://h:1", schemeAssumed: false };
const ASSUMED = { base: "https://h:1", schemeAssumed: true };
const broken = (code: string) =>
  transitFault({ what: "x" }, Object.assign(new Error(), { code }), { timedOut: false });

/** The fault of an answer with this status and text. */
function answered(status: number, text: string) {
  try {
    readResult("the parameters", status, text);
  } catch (error) {
    return error as ReturnType<typeof broken>;
  }
  throw new Error("a good answer");
}

describe("a gateway that is not there", () => {
  it.each([
    [HTTP, broken("ECONNREFUSED"), /^nothing answers there \(ECONNREFUSED\)$/],
    [HTTP, broken("ENOTFOUND"), /^no host of that name is known/],
    [HTTP, broken("ECONNRESET"), /^the connection broke \(ECONNRESET\)$/],
    [HTTPS, broken("ERR_SSL_WRONG_VERSION_NUMBER"), /^what answers there does not speak https \([A-Z_]+\)$/],
    [ASSUMED, broken("ERR_SSL_WRONG_VERSION_NUMBER"), /does not speak https .*; https was assumed/],
    [ASSUMED, broken("ECONNREFUSED"), /^nothing answers there .*; https was assumed/],
    [HTTPS, broken("DEPTH_ZERO_SELF_SIGNED_CERT"), /certificate of what answers there is not trusted/],
    [HTTP, answered(404, "<h1>Not found</h1>"), /^what answers there is not a polyswarmd \(HTTP 404\)$/],
    [
      HTTP,
      answered(200, "<h1>Welcome</h1>"),
      /^what answers there is not a polyswarmd: the answer about the parameters is/,
    ],
    [
      HTTP,
      answered(502, "Bad gateway"),
      /^something answers there, but only to say that it fails \(HTTP 502\)$/,
    ],
  ])("is told in plain words: %j %s", (address, fault, words) => {
    expect(whyUnreachable(address, fault)).toMatch(words);
  });

  it("is told with its address and what to check", () => {
    expect(gatewayUnreachable(HTTP, "nothing answers there", undefined)).toMatchObject({
      code: "POLYSWARMD_UNREACHABLE",
      message: "There is no working polyswarmd at http://h:1: nothing answers there.",
      hint: expect.stringContaining("--polyswarmd-addr"),
    });
  });

  it("is not blamed for a key that it refuses", () => {
    expect(gatewayUnreachable(HTTP, "", answered(401, "{}"))).toMatchObject({ code: "API_KEY_REFUSED" });
  });
});
