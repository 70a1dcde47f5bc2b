/** Options of today's engines that are written differently here, or not at all: for operators who move over. */
const INSTEAD: Readonly<Record<string, string>> = {
  accept: "Write --filter accept FIELD == VALUE.",
  exclude: "Write --filter reject FIELD == VALUE.",
  "client-log": "--log LEVEL is for all of it.",
  "insecure-transport": "Write http:// in --polyswarmd-addr.",
  scan_time_requirement: "Write --scan-time-requirement SECONDS.",
  tasks: "--scan-limit N and --download-limit N say how much is done at a time.",
  testing: "sandbox --bounties N is a market that ends after N bounties.",
};

/** What to write instead of the option that a message complains of (`unknown option '--tasks'`), if that is known. */
export function adviceFor(message: string): string | undefined {
  const [, option = ""] = /unknown option '--([\w-]+)/.exec(message) ?? [];
  return Object.hasOwn(INSTEAD, option) ? INSTEAD[option] : undefined;
}
