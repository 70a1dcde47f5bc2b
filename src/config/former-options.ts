/** What today's engines have and is written differently here, or not at all: for operators who move over. */
/** Commands. docs/moving-over.md has them too. */
const COMMANDS: Readonly<Record<string, string>> = {
  microengine: "It is producer here; with --embedded N it runs its consumers as well.",
  worker: "It is consumer here, with the same --backend and --queue.",
  balancemanager: "There is none here: fund the wallet by other means; --min-balance NCT stays in it.",
  liveness: "A running engine says how it is at /healthz and /readyz of its --http-port.",
  arbiter: "sandbox has arbiters; an engine for the real market is producer.",
  ambassador: "sandbox has an ambassador; an engine for the real market is producer.",
  verbatimdbgen: "sandbox has arbiters that know what they were given.",
};

/** What to type instead of a command of today's engines, if it is one. On Windows these end in .exe. */
export function adviceForCommand(name: string): string | undefined {
  const plain = name.toLowerCase().replace(/\.exe$/, "");
  const known = plain === "liveliness" ? "liveness" : plain;
  return Object.hasOwn(COMMANDS, known) ? COMMANDS[known] : undefined;
}

/** Options. */
const INSTEAD: Readonly<Record<string, string>> = {
  accept: "Write --filter accept FIELD == VALUE.",
  exclude: "Write --filter reject FIELD == VALUE.",
  "client-log": "--log LEVEL is for all of it.",
  "insecure-transport": "Write http:// in --polyswarmd-addr.",
  scan_time_requirement: "Write --scan-time-requirement SECONDS.",
  "loop-update-threshold": "/healthz and /readyz say whether an engine works.",
  "average-bounty-wait-threshold": "/healthz and /readyz say whether an engine works.",
  denomination: "Amounts are in NCT.",
  watchdog: "It is an option of no engine here.",
  "submission-rate": "sandbox --bounty-interval says how often there is a bounty.",
  tasks: "--scan-limit N and --download-limit N say how much is done at a time.",
  testing: "sandbox --bounties N is a market that ends after N bounties.",
};

/** What to write instead of the option that a message complains of (`unknown option '--tasks'`), if that is known. */
export function adviceFor(message: string): string | undefined {
  const [, option = ""] = /unknown option '--([\w-]+)/.exec(message) ?? [];
  return Object.hasOwn(INSTEAD, option) ? INSTEAD[option] : undefined;
}
