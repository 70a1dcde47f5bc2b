import type { ChainName } from "../../domain/chain.ts";
import type { LedgerDatabase } from "./database.ts";

/** Values that are pinned on first use, and notes of what the market told. What the methods promise is in `Ledger`. */
export class PinTable {
  readonly #db: LedgerDatabase;

  constructor(db: LedgerDatabase) {
    this.#db = db;
  }

  pin(chain: ChainName, name: string): string | undefined {
    return this.#db.get<{ value: string }>("SELECT value FROM pin WHERE chain = ? AND name = ?", chain, name)
      ?.value;
  }

  setPin(chain: ChainName, name: string, value: string): void {
    this.#db.run(
      "INSERT INTO pin (chain, name, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      chain,
      name,
      value,
    );
  }

  replacePin(chain: ChainName, name: string, value: string | undefined): void {
    this.#db.atomically(() => {
      this.#db.run("DELETE FROM pin WHERE chain = ? AND name = ?", chain, name);
      if (value !== undefined) this.setPin(chain, name, value);
    });
  }

  note(chain: ChainName, name: string): string | undefined {
    return this.#db.get<{ value: string }>("SELECT value FROM note WHERE chain = ? AND name = ?", chain, name)
      ?.value;
  }

  setNote(chain: ChainName, name: string, value: string | undefined): void {
    if (value === undefined) this.#db.run("DELETE FROM note WHERE chain = ? AND name = ?", chain, name);
    else {
      this.#db.run(
        "INSERT INTO note (chain, name, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        chain,
        name,
        value,
      );
    }
  }
}
