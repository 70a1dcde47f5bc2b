/** What the first line of a script names as its interpreter. */

const INTERPRETERS: Readonly<Record<string, string>> = {
  ash: "text/x-shellscript",
  bash: "text/x-shellscript",
  busybox: "text/x-shellscript",
  csh: "text/x-shellscript",
  dash: "text/x-shellscript",
  fish: "text/x-shellscript",
  ksh: "text/x-shellscript",
  sh: "text/x-shellscript",
  tcsh: "text/x-shellscript",
  zsh: "text/x-shellscript",
  python: "text/x-python",
  pypy: "text/x-python",
  perl: "text/x-perl",
  ruby: "text/x-ruby",
  php: "text/x-php",
  lua: "text/x-lua",
  awk: "text/x-awk",
  gawk: "text/x-awk",
  mawk: "text/x-awk",
  tclsh: "text/x-tcl",
  wish: "text/x-tcl",
  expect: "text/x-tcl",
  node: "application/javascript",
  nodejs: "application/javascript",
  deno: "application/javascript",
  bun: "application/javascript",
  pwsh: "application/x-powershell",
  powershell: "application/x-powershell",
  osascript: "text/x-applescript",
};

/** MIME type of the interpreter a shebang names: `#!/usr/bin/env -S python3.12 -u` is text/x-python. */
export function shebangType(text: string): string | undefined {
  const line = /^#!([^\r\n]{1,256})/.exec(text)?.[1];
  if (line === undefined) return undefined;
  const words = line.trim().split(/\s+/);
  const program = words.find((word, at) => !(at === 0 && /(?:^|\/)env$/.test(word)) && !/^-|=/.test(word));
  const name = program
    ?.split("/")
    .at(-1)
    ?.toLowerCase()
    .replace(/[\d.]+$/, "");
  if (name === undefined || name === "") return undefined;
  return Object.hasOwn(INTERPRETERS, name) ? INTERPRETERS[name]! : "text/x-script";
}
