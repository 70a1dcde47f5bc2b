declare const unit: unique symbol;

/** A primitive that remembers what it measures. Exists only in the type checker. */
export type Branded<T, Name extends string> = T & { readonly [unit]: Name };
