/**
 * A marketplace for those who leave before it does: what is opened anew after each failed try to answer would otherwise
 * leave its listeners behind for as long as the producer lives.
 */
import type { Marketplace } from "./port.ts";

interface ScopedMarketplace extends Disposable {
  /** The same marketplace; disposing of the scope takes off the listeners that were added here, and no others. */
  readonly market: Marketplace;
}

export function scoped(market: Marketplace): ScopedMarketplace {
  const listening = new Set<() => void>();
  const on: Marketplace["on"] = (event, listener) => {
    const off = market.on(event, listener);
    listening.add(off);
    return () => {
      listening.delete(off);
      off();
    };
  };
  return {
    market: new Proxy(market, {
      get(target, name) {
        if (name === "on") return on;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
    [Symbol.dispose]() {
      for (const off of listening) off();
      listening.clear();
    },
  };
}
