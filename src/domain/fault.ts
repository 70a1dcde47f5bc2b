/**
 * An error that people can act on: a stable code for programs, one sentence for logs, a hint for the operator.
 * `retryable` says whether trying the same again later may work.
 */
export class Fault extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly retryable: boolean;

  constructor(
    code: string,
    sentence: string,
    options: { hint?: string; retryable?: boolean; cause?: unknown } = {},
  ) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Fault";
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
  }
}

/** The operator gave us something we cannot work with: one line on stderr, exit code 2. */
export class ConfigFault extends Fault {
  constructor(code: string, sentence: string, options: { hint?: string; cause?: unknown } = {}) {
    super(code, sentence, options);
    this.name = "ConfigFault";
  }
}

/** One line for people: the sentence, then the hint. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A host of several addresses fails with all their errors, and no message of its own.
  if (error instanceof AggregateError && error.message === "") return describeError(error.errors[0]);
  const hint = error instanceof Fault && error.hint !== undefined ? ` ${error.hint}` : "";
  return `${error.message}${hint}`.replaceAll(/\s*\n\s*/g, " ");
}
