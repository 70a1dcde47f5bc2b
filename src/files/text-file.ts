/**
 * The one reader of text files that people write by hand: keyfiles, passwords, secrets, triage rules, descriptions of
 * backends. Editors and shells of Windows leave byte order marks and UTF-16; none of that is part of the text.
 */
import { createReadStream } from "node:fs";
import { decodeText } from "./decode-text.ts";

/** Why a file gives no text. `message` is one sentence for people that names the file and quotes nothing of it. */
export class TextFileError extends Error {
  readonly problem: "missing" | "directory" | "forbidden" | "unreadable" | "too-large" | "not-text";

  constructor(problem: TextFileError["problem"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TextFileError";
    this.problem = problem;
  }
}

/**
 * The text of the file without a byte order mark; empty when the file is. At most `maxBytes + 1` bytes are read, whatever the
 * path leads to; pipes may be read as well. Throws TextFileError.
 */
export async function readTextFile(path: string, maxBytes: number): Promise<string> {
  const bytes = await readStart(path, maxBytes + 1);
  if (bytes.length > maxBytes)
    throw new TextFileError("too-large", `${path} is larger than the ${maxBytes} bytes that are read of it`);
  const text = decodeText(bytes);
  if (text === undefined)
    throw new TextFileError("not-text", `${path} is no text in UTF-8 or UTF-16; save it as UTF-8`);
  return text;
}

async function readStart(path: string, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    // The end is the index of the last byte.
    for await (const chunk of createReadStream(path, { end: bytes - 1 })) chunks.push(chunk as Buffer);
  } catch (cause) {
    throw unreadable(path, cause as NodeJS.ErrnoException);
  }
  return Buffer.concat(chunks);
}

function unreadable(path: string, cause: NodeJS.ErrnoException): TextFileError {
  switch (cause.code) {
    case "ENOENT":
    case "ENOTDIR":
      return new TextFileError("missing", `there is no file ${path}`, { cause });
    case "EISDIR":
      return new TextFileError("directory", `${path} is a directory`, { cause });
    case "EACCES":
    case "EPERM":
      return new TextFileError("forbidden", `this user may not read ${path}`, { cause });
    default:
      return new TextFileError("unreadable", `${path} cannot be read (${cause.code ?? cause.message})`, {
        cause,
      });
  }
}

/** The one line of a file that holds a line, such as a password: without the line break that ends it. */
export const withoutLineBreak = (text: string): string => text.replace(/(?:\r\n|\n|\r)$/, "");
