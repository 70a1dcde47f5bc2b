import { closeSync, openSync, readSync } from "node:fs";

/** As much of a file as Linux looks at. */
const FIRST_LINE_BYTES = 256;

/**
 * The program that the first line of a script (`#!/bin/sh`) wants it to be run by; a carriage return counts as part of
 * the name, as it does for the system. `undefined` for what is no script, names none by an absolute path, or may be
 * executed but not read.
 */
export function interpreterOf(program: string): string | undefined {
  return /^#![ \t]*(\/[^ \t\n\0]*)/.exec(beginningOf(program))?.[1];
}

function beginningOf(program: string): string {
  try {
    const file = openSync(program, "r");
    try {
      const bytes = Buffer.alloc(FIRST_LINE_BYTES);
      return bytes.toString("utf8", 0, readSync(file, bytes, 0, FIRST_LINE_BYTES, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
}
