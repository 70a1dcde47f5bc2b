import type { MarketId } from "../../domain/bounty.ts";
import type { LedgerDatabase } from "./database.ts";

/** Values that are pinned on first use, and notes of what the market told. What the methods promise is in `Ledger`. */
export class PinTable {
  readonly #db: LedgerDatabase;

  constructor(db: LedgerDatabase) {
    this.#db = db;
  }

  pin(market: MarketId, name: string): string | undefined {
    return this.#db.get<{ value: string }>(
      "SELECT value FROM pin WHERE market = ? AND name = ?",
      market,
      name,
    )?.value;
  }

  setPin(market: MarketId, name: string, value: string): void {
    this.#db.run(
      "INSERT INTO pin (market, name, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      market,
      name,
      value,
    );
  }

  replacePin(market: MarketId, name: string, value: string | undefined): void {
    this.#db.atomically(() => {
      this.#db.run("DELETE FROM pin WHERE market = ? AND name = ?", market, name);
      if (value !== undefined) this.setPin(market, name, value);
    });
  }

  note(market: MarketId, name: string): string | undefined {
    return this.#db.get<{ value: string }>(
      "SELECT value FROM note WHERE market = ? AND name = ?",
      market,
      name,
    )?.value;
  }

  setNote(market: MarketId, name: string, value: string | undefined): void {
    if (value === undefined) this.#db.run("DELETE FROM note WHERE market = ? AND name = ?", market, name);
    else {
      this.#db.run(
        "INSERT INTO note (market, name, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        market,
        name,
        value,
      );
    }
  }
}
