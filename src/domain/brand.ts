/** Exported so that declarations can name it; it exists only in the type checker. */
declare const unit: unique symbol;

/** A primitive that remembers what it measures. */
export type Branded<T, Name extends string> = T & { readonly [unit]: Name };
