/**
 * How long `recover` needs to find the verdicts of a bounty with 20 masked artifacts when the very last combination is
 * the right one, against hashing as many words with nothing else around it, and against web3's own keccak.
 */
import { utils } from "web3";
import { parseAddress } from "../src/domain/address.ts";
import { openKeccakWord } from "../src/market/onchain/recovery/verdict-search/keccak-word.ts";
import { searchVerdicts } from "../src/market/onchain/recovery/verdict-search/verdict-search.ts";

const COUNT = 2 ** 20;
/** The search may cost this much more than its hashes. */
const LIMIT = 1.5;
const SAMPLE = 2 ** 14;

function seconds(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1_000;
}

const word = openKeccakWord();
const hashing = () => {
  for (let i = 0; i < COUNT; i++) {
    word.flip(i % 20);
    word.prefix();
  }
};
const account = parseAddress("0x63046FD3FBCe76196914C3021B30c09CEB2f4F03");
const searching = () => {
  const sealed = { account, nonce: 1n, mask: BigInt(COUNT - 1), commitment: 1n };
  for (const _ of searchVerdicts(sealed, { tries: 0 }));
};
const bytes = new Uint8Array(32);
const webHashing = () => {
  for (let i = 0; i < SAMPLE; i++) utils.keccak256(bytes);
};

hashing();
const bare = seconds(hashing);
const search = seconds(searching);
const web3 = (seconds(webHashing) / SAMPLE) * COUNT;
const ratio = search / bare;
process.stdout.write(
  [
    `${COUNT} candidates searched in ${search.toFixed(2)} s, hashed in ${bare.toFixed(2)} s: ratio ${ratio.toFixed(2)} (limit ${LIMIT})`,
    `the same count of web3's keccak256 would take ${web3.toFixed(1)} s: ${(web3 / search).toFixed(0)} times as long`,
    "",
  ].join("\n"),
);
process.exitCode = ratio > LIMIT ? 1 : 0;
