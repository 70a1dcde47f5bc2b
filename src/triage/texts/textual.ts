/**
 * Which detected types a text can have. Many formats have a magic number of two to four letters, so that a text about them
 * may begin with it; none of those formats is text.
 */

const TEXTUAL =
  /^(?:text\/|message\/|multipart\/|[a-z]+\/[\w.-]+\+(?:xml|json)$|application\/(?:json|xml|rtf|pdf|postscript|javascript|ecmascript|x-ndjson|mbox|sql|x-subrip|x-tex|x-latex|x-wine-extension-ini|x-setupscript|x-mswinurl|x-unix-archive|x-virtualbox-vmdk|x-yaml|yaml|toml|ld\+json|warc|pgp-[\w-]+|x-pem[\w-]*|x-x509[\w-]*|pkcs[\w-]+)|image\/(?:svg\+xml|x-xpixmap|x-xbitmap)$|model\/(?:obj|mtl|vrml|step|gltf\+json)|font\/bdf|application\/x-font-(?:bdf|sfn))/;

export const isTextual = (type: string): boolean => TEXTUAL.test(type);

/** Decided here (script-types/, mail.ts), so what libmagic makes of the first words of a text does not count. */
const DECIDED_HERE = new Set([
  "text/x-python",
  "text/x-php",
  "text/x-msdos-batch",
  "text/vbscript",
  "text/x-shellscript",
  "text/asp",
  "text/x-jsp",
  "application/javascript",
  "application/x-powershell",
  "application/hta",
  "message/rfc822",
]);

export const isDecidedHere = (type: string): boolean => DECIDED_HERE.has(type);
