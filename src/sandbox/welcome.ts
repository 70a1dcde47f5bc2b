import { join } from "node:path";
import { quoted } from "../config/npm.ts";
import type { SandboxConfig } from "../config/sandbox.ts";
import type { Address } from "../domain/address.ts";
import { formatNct, type Nct } from "../domain/nct.ts";

/** A sandbox that runs, as far as its user needs to know it. */
export interface Place {
  /** Of the gateway. */
  readonly url: string;
  readonly chain: { readonly url: string; readonly chainId: number };
  readonly account: Address | undefined;
  readonly purse: Nct;
  /** Folder for the ledger of an engine that is sent to it. */
  readonly dataDir: string;
}

type Terms = Pick<SandboxConfig, "walletDir" | "bounties" | "bountyInterval" | "blockTime" | "artifacts">;

/** What a sandbox is, and all that has to be typed to send an engine to it. */
export function welcome({ url, chain, account, purse, dataDir }: Place, terms: Terms): readonly string[] {
  const at = `--polyswarmd-addr ${quoted(url)}`;
  const [keyfile, password] = ["keyfile", "password"].map((name) => quoted(join(terms.walletDir, name)));
  const holding = [
    `--keyfile ${keyfile} --password-file ${password} \\`,
    // Beside the wallet: the stakes of play money are not to mix with real ones.
    `--data-dir ${quoted(dataDir)}`,
  ];
  // Here EICAR files are the only malware, so that finding nothing means something.
  const benign = terms.artifacts === undefined ? " --benign eicar=0.8" : "";
  const bounties =
    terms.bounties === undefined
      ? `one every ${terms.bountyInterval} s`
      : `${terms.bounties} in all, from when an engine listens`;
  return [
    `Marketplace  ${url}`,
    `Chain        ${chain.url}, id ${chain.chainId}, a block every ${terms.blockTime} s`,
    `Bounties     ${bounties}`,
    `Account      ${account} with ${formatNct(purse)} NCT, in ${join(terms.walletDir, "keyfile")}`,
    "",
    "Send an engine to it, from another terminal. All in one, without Redis:",
    "",
    `  npm start producer -- --embedded 2${benign} ${at} \\`,
    ...holding.map((line) => `    ${line}`),
    "",
    "Or with Redis at localhost:6379 (if it is elsewhere, add --redis-addr HOST:PORT to both):",
    "",
    `  npm start producer --${benign} ${at} \\`,
    ...holding.map((line) => `    ${line}`),
    `  npm start consumer -- ${at}`,
    "",
    "The engine says producer.ready, and assertion.posted for each bounty it stakes on.",
    "",
  ];
}
