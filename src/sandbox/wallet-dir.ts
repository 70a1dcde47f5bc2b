import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eth, utils } from "web3";
import { z } from "zod";
import { type Address, parseAddress } from "../domain/address.ts";
import { ConfigFault } from "../domain/fault.ts";

/** Enough for play money, and unlocked in milliseconds. */
const SCRYPT = { kdf: "scrypt", n: 1024, r: 8, p: 1 } as const;

/** A keystore V3 file as far as it says whose it is; the address comes without `0x`. */
const Keyfile = z.object({ address: z.string().regex(/^(0x)?[0-9a-fA-F]{40}$/) });

/**
 * A folder with a wallet for play money: `keyfile` (keystore V3) and `password`. Both are made when there is no keyfile
 * yet. Returns the account, checksummed. Throws a ConfigFault when the folder cannot be written or the keyfile is none.
 */
export async function openWalletDir(folder: string): Promise<Address> {
  const path = join(folder, "keyfile");
  const existing = await readFile(path, "utf8").catch(() => undefined);
  if (existing !== undefined) return addressIn(existing, path);
  try {
    return await createWallet(folder, path);
  } catch (cause) {
    throw new ConfigFault("WALLET_DIR_UNWRITABLE", `Cannot write a wallet into ${folder}.`, {
      hint: "Choose a folder that this user may write to.",
      cause,
    });
  }
}

async function createWallet(folder: string, path: string): Promise<Address> {
  await mkdir(folder, { recursive: true });
  const account = eth.accounts.create();
  const password = randomBytes(12).toString("hex");
  const keyfile = await eth.accounts.encrypt(account.privateKey, password, SCRYPT);
  await writeFile(join(folder, "password"), password, { mode: 0o600 });
  // Last, and in one step: a process that waits for the keyfile finds all of it, and the password beside it.
  await writeFile(`${path}.new`, JSON.stringify(keyfile), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return account.address as Address;
}

function addressIn(text: string, path: string): Address {
  try {
    const address = `0x${Keyfile.parse(JSON.parse(text)).address.replace(/^0x/, "")}`;
    return parseAddress(utils.toChecksumAddress(address));
  } catch (cause) {
    throw new ConfigFault("KEYFILE_MALFORMED", `${path} is not a keystore file.`, { cause });
  }
}

/**
 * A folder beside the wallet, `data`, `data-2` and so on, that is not there yet. Each sandbox is a chain of its own, in
 * which nothing is true of what an engine's ledger says of the one before.
 */
export function unusedDataDir(walletDir: string): string {
  for (let run = 1; ; run++) {
    const folder = join(walletDir, run === 1 ? "data" : `data-${run}`);
    if (!existsSync(folder)) return folder;
  }
}
