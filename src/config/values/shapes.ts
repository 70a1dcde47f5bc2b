/** Readers of the values that settings are made of. Each says what it takes in words an operator can act on. */

import { parseAddress } from "../../domain/address.ts";
import { ARTIFACT_KINDS } from "../../domain/artifact.ts";
import { CHAIN_NAMES } from "../../domain/chain.ts";
import { parseNct } from "../../domain/nct.ts";
import type { SilenceRule } from "../../domain/silence.ts";
import { parseStakeLimit } from "../../domain/stake-limit.ts";
import { ppm } from "../../domain/verdict.ts";
import { LEAST_SECRET_CHARS } from "./queue-secret.ts";
import { reading } from "./settings.ts";

/** Anything but nothing; blanks around it are the caller's. */
export const text = reading("some text", (given) => {
  if (given.trim() === "") throw new RangeError(given);
  return given;
});

/** What may be empty on purpose, such as the password of a keystore that was made without one. */
export const anyText = reading("some text", (given) => given);

/** The rough shape of an address or URL; its adapter checks the rest. */
export const endpoint = reading("an address or URL without blanks", (given) => {
  if (!/^[^\s]+$/.test(given)) throw new RangeError(given);
  return given;
});

export const addressValue = reading("an address: 0x and 40 hex digits", parseAddress);

/** BullMQ builds its Redis keys with colons, and Redis Cluster reads braces as hash tags. */
export const queueName = reading('a name without ":", braces or blanks', (given) => {
  if (!/^[^\s:{}]+$/.test(given)) throw new RangeError(given);
  return given;
});

export const apiKey = reading("the key as the marketplace shows it, without blanks", (given) => {
  if (!/^[\x21-\x7e]+$/.test(given)) throw new RangeError("not printable");
  return given;
});

export const secretText = reading(`at least ${LEAST_SECRET_CHARS} characters`, (given) => {
  if (given.length < LEAST_SECRET_CHARS) throw new RangeError("too short");
  return given;
});

export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER) {
  const right =
    most === Number.MAX_SAFE_INTEGER
      ? `a whole number of at least ${least}`
      : `a whole number from ${least} to ${most}`;
  return reading(right, (given) => {
    const number = Number(given);
    if (!/^\d+$/.test(given) || number < least || number > most) throw new RangeError(given);
    return number;
  });
}

export const port = wholeNumber(0, 65_535);

/** How many at the same time. 0 is how today's engines say "no limit": as many as a process can bear. */
export const atOnce = (bearable: number) =>
  wholeNumber(0, 1024).transform((number) => (number === 0 ? bearable : number));

/** Seconds, with decimals if wanted. `more` excludes zero. */
export function seconds(least: "zero allowed" | "more than zero") {
  const zero = least === "zero allowed";
  return reading(`a number of seconds ${zero ? "of 0 or more" : "above 0"}`, (given) => {
    const number = Number(given);
    if (!/^\d+(\.\d+)?$/.test(given) || (!zero && number === 0)) throw new RangeError(given);
    return number;
  });
}

/** Hours, with decimals if wanted. */
export const hours = reading("a number of hours above 0", (given) => {
  const number = Number(given);
  if (!/^\d+(\.\d+)?$/.test(given) || number === 0) throw new RangeError(given);
  return number;
});

export const ratio = reading("a number from 0 to 1", (given) => {
  const number = Number(given);
  if (!/^\d*\.?\d+$/.test(given) || number > 1) throw new RangeError(given);
  return number;
});

/** Base units from a human amount. */
export const nctAmount = reading("an amount of NCT, such as 2 or 0.0625", parseNct);

export const stakeLimit = reading(
  "an amount of NCT, such as 2, or a share of the wallet, such as 10%",
  parseStakeLimit,
);

export const wei = reading("a whole number of wei", (given) => {
  if (!/^\d+$/.test(given)) throw new RangeError(given);
  return BigInt(given);
});

export const chainId = reading("a chain id, a whole number of at least 1", (given) => {
  if (!/^\d+$/.test(given) || BigInt(given) === 0n) throw new RangeError(given);
  return BigInt(given);
});

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
};

/** Bytes; binary and decimal units. */
export const byteSize = reading("a size in bytes, such as 34603008, 32MiB or 30MB", (given) => {
  const [, digits = "", unit = ""] = /^(\d+)\s*([A-Za-z]*)$/.exec(given) ?? [];
  const bytes = Number(digits) * (UNITS[unit] ?? Number.NaN);
  if (digits === "" || !Number.isSafeInteger(bytes) || bytes === 0) throw new RangeError(given);
  return bytes;
});

export function oneOf<const Word extends string>(
  words: readonly Word[],
  aliases: Readonly<Record<string, Word>> = {},
) {
  return reading(`one of ${words.join(", ")}`, (given): Word => {
    const lower = given.toLowerCase();
    const found = words.find((word) => word === lower) ?? aliases[lower];
    if (found === undefined) throw new RangeError(given);
    return found;
  });
}

export const chainName = oneOf(CHAIN_NAMES);
export const artifactKindValue = oneOf(ARTIFACT_KINDS);

/** `BACKEND=CONFIDENCE`, or `BACKEND:TYPE=CONFIDENCE` for artifacts of a type. */
export const silenceRule = reading(
  "BACKEND=CONFIDENCE or BACKEND:TYPE=CONFIDENCE with a confidence above 0 and up to 1, such as clamav=0.8 or clamav:text/*=0.9",
  (given): SilenceRule => {
    const [, backend, type = "*", confidence] =
      /^([^:]+)(?::([^/=\s]+\/[^/=\s]+))?=(\d*\.?\d+)$/.exec(given) ?? [];
    const worth = Number(confidence);
    if (backend === undefined || worth > 1 || ppm(worth) === 0) throw new RangeError(given);
    return { backend, type, worth: ppm(worth) };
  },
);
