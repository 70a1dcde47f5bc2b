// JavaScript that any Node reads: from source, an old one would end with a stack trace about the first `.ts`.
const NEEDED = 24;
const [major = "0"] = process.versions.node.split(".");
if (Number(major) < NEEDED) {
  process.stderr.write(
    `microengine: It needs Node ${NEEDED}, this is ${process.version} (${process.execPath}).\n`,
  );
  process.exit(2);
}
