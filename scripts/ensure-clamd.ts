/**
 * Sees to it that this machine has ClamAV's daemon, before the tests: they start private ones with signatures of their own
 * (test/fixtures/clamd-server.ts).
 *
 * For root on Debian and its kin a missing package is installed: no service is started, no signatures are downloaded. Else
 * there is one line that says what to install, and exit code 2.
 */
import { spawnSync } from "node:child_process";
import { delimiter } from "node:path";

const say = (line: string) => process.stderr.write(`ensure-clamd: ${line}\n`);

/** Debian keeps daemons where an ordinary user's PATH does not look. */
const env = { ...process.env, PATH: [process.env.PATH, "/usr/sbin", "/usr/local/sbin"].join(delimiter) };
const succeeds = (program: string, ...args: string[]) => spawnSync(program, args, { env }).status === 0;
const hasClamd = () => succeeds("clamd", "--version");

/** Returns whether `clamd` is there afterwards. */
function installClamd(): boolean {
  if (process.getuid?.() !== 0 || !succeeds("apt-get", "--version")) return false;
  say("no clamd on the PATH: installing it (apt-get update, apt-get install clamav-daemon)");
  // RUNLEVEL=1 keeps the packages from starting services of their own, of which one downloads signatures.
  const quiet = { ...env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const aptGet = (...args: string[]) =>
    spawnSync("apt-get", args, { env: quiet, stdio: ["ignore", "ignore", "inherit"] }).status === 0;
  // A mirror that is out of reach must not stop an install from those that are not.
  aptGet("update", "-qq");
  return aptGet("install", "-y", "-qq", "--no-install-recommends", "clamav-daemon") && hasClamd();
}

if (!hasClamd() && !installClamd()) {
  say("no clamd: install clamav-daemon (the program is enough, it needs no signatures)");
  process.exitCode = 2;
}
