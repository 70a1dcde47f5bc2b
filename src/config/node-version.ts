/**
 * Says in one line that this Node is too old, and ends, before anything is run that it does not know. Imported first
 * by the command line, so it is written in what old Nodes understand; scripts/needs-node.mjs does the same for
 * those that cannot read TypeScript.
 */
const NEEDED = 24;

const [major = "0"] = process.versions.node.split(".");
if (Number(major) < NEEDED) {
  process.stderr.write(
    `microengine: It needs Node ${NEEDED}, this is ${process.version} (${process.execPath}).\n`,
  );
  process.exit(2);
}

export {};
