/** What a text is, when its first lines make that clear. Text in general has no magic number; these few do. */

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

/** Tried in order against the text without leading blanks; the first that matches says what it is. */
const OPENINGS: readonly (readonly [type: string, opening: RegExp])[] = [
  ["text/x-php", /^<\?(?:php\b|=)/i],
  ["image/svg+xml", /^(?:<\?xml[^>]{0,200}>\s{0,80})?(?:<!--[^>]{0,400}-->\s{0,80})?<svg\b/i],
  ["text/html", /^(?:<\?xml[^>]{0,200}>\s{0,80})?<(?:!doctype\s+html|html|head|body|script|iframe|meta)\b/i],
  ["application/hta", /^<hta:application\b/i],
  ["text/x-msdos-batch", /^(?:@echo\s+(?:off|on)\b|@?setlocal\b|rem\s[^\n]{0,200}\n@?echo\s)/i],
  [
    "text/vbscript",
    /^(?:option\s+explicit\b|on\s+error\s+resume\s+next\b|dim\s+\w+[\s\S]{0,400}createobject\()/i,
  ],
  ["application/x-powershell", /^(?:#requires\s+-|\[cmdletbinding\(|param\s*\(\s*\[\w+\]\s*\$)/i],
  ["message/rfc822", /^(?:received|return-path|delivered-to|mime-version|message-id):\s/i],
];

/** MIME type of the interpreter a shebang names: `#!/usr/bin/env -S python3.12 -u` is text/x-python. */
function shebangType(text: string): string | undefined {
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

/** `undefined` for text that does not say what it is. */
export function scriptType(text: string): string | undefined {
  const opening = text.trimStart().slice(0, 2048);
  return shebangType(text) ?? OPENINGS.find(([, pattern]) => pattern.test(opening))?.[0];
}
