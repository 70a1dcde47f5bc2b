import { join } from "node:path";
import type { SandboxConfig } from "../config/commands/sandbox.ts";
import { quoted } from "../config/npm.ts";
import type { Address } from "../domain/address.ts";
import { formatNct, type Nct } from "../domain/nct.ts";

/** A sandbox that runs, as far as its user needs to know it. */
interface Place {
  /** Of the gateway. */
  readonly url: string;
  readonly chain: { readonly url: string; readonly chainId: number };
  readonly account: Address | undefined;
  readonly reservations: Nct;
  /** Folder for the ledger of an engine that is sent to it. */
  readonly dataDir: string;
  /** It runs in a container of the image: paths and addresses are not those of the machine. */
  readonly inContainer?: boolean;
}

type Terms = Pick<
  SandboxConfig,
  "walletDir" | "bounties" | "bountyInterval" | "blockTime" | "artifacts" | "backend" | "bidStrategy"
>;

/** What a sandbox is, and all that has to be typed to send an engine to it. */
export function welcome(place: Place, terms: Terms): readonly string[] {
  const { url, chain, account, reservations, dataDir } = place;
  const at = `--polyswarmd-addr ${quoted(url)}`;
  const [keyfile, password] = ["keyfile", "password"].map((name) => quoted(join(terms.walletDir, name)));
  const holding = [
    `--keyfile ${keyfile}`,
    `--password-file ${password}`,
    // Beside the wallet: the stakes of play money are not to mix with real ones.
    `--data-dir ${quoted(dataDir)}`,
  ];
  // Here EICAR files are the only malware, so that finding nothing means something.
  const benign = terms.artifacts === undefined ? ["--benign eicar=0.8"] : [];
  const backends = terms.backend.map((name) => `--backend ${quoted(name)}`);
  const strategy = terms.bidStrategy === undefined ? [] : [`--bid-strategy ${quoted(terms.bidStrategy)}`];
  const engine = [...backends, ...strategy, ...benign, at];
  const bounties =
    terms.bounties === undefined
      ? `one every ${terms.bountyInterval} s`
      : `${terms.bounties} in all, from when an engine listens`;
  if (place.inContainer === true) return inContainer(place, terms, bounties);
  return [
    `Marketplace  ${url}`,
    `Chain        ${chain.url}, id ${chain.chainId}, a block every ${terms.blockTime} s`,
    `Bounties     ${bounties}`,
    `Account      ${account} with ${formatNct(reservations)} NCT,`,
    `             in ${join(terms.walletDir, "keyfile")}`,
    "",
    "Send an engine to it, from another terminal. All in one, without Redis:",
    "",
    ...command("npm start producer --", ["--embedded 2", ...engine, ...holding]),
    "",
    "Or with Redis at localhost:6379 (elsewhere: add --redis-addr HOST:PORT to both):",
    "",
    ...command("npm start producer --", [...engine, ...holding]),
    ...command("npm start consumer --", [...backends, at]),
    "",
    ...SAYS,
    "",
  ];
}

/** Of a terminal. */
const COLUMNS = 80;

const SAYS = ["The engine says producer.ready,", "and assertion.posted for each bounty it stakes on."];

/** A command in as many lines as a terminal needs, broken between options, to be typed as it stands. */
function command(program: string, options: readonly string[]): readonly string[] {
  const lines: string[] = [];
  let line = `  ${program}`;
  for (const option of options) {
    // Behind it goes what tells the shell that there is more.
    if (line.length + option.length + " ".length + " \\".length > COLUMNS) {
      lines.push(`${line} \\`);
      line = `    ${option}`;
    } else line = `${line} ${option}`;
  }
  return [...lines, line];
}

/** With Docker, an engine is brought up with the sandbox or added to it; nothing of npm is at hand. */
function inContainer(
  { chain, account, reservations }: Place,
  { blockTime }: Terms,
  bounties: string,
): readonly string[] {
  return [
    "Marketplace  http://sandbox:31337 for containers,",
    "             http://localhost:31337 on this machine (SANDBOX_PORT)",
    `Chain        id ${chain.chainId}, a block every ${blockTime} s`,
    `Bounties     ${bounties}`,
    `Account      ${account} with ${formatNct(reservations)} NCT,`,
    "             in the volume sandbox-wallet",
    "",
    "`docker compose --profile sandbox up` has sent an engine to it;",
    "with more consumers, or anew:",
    "",
    "  docker compose --profile sandbox up -d --scale consumer=3",
    "  docker compose logs -f producer",
    "",
    ...SAYS,
    "To stop all of it:",
    "",
    "  docker compose --profile sandbox down",
    "",
  ];
}
