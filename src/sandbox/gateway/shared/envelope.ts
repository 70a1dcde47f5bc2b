/** A view's own refusal: `{"status":"FAIL","errors":…}`. `errors` is a string, a list or an object. */
export class Failure extends Error {
  readonly status: number;
  readonly errors: unknown;

  constructor(status: number, errors: unknown) {
    super(typeof errors === "string" ? errors : "The request failed");
    this.name = "Failure";
    this.status = status;
    this.errors = errors;
  }
}

/** Trouble below the views (routing, parsing, an exception): `{"message":…}`, without status and errors. */
export class HttpTrouble extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "HttpTrouble";
    this.status = status;
  }
}

/** Success. Without a value there is no `result` key at all. */
export const ok = (result?: unknown): object =>
  result === undefined ? { status: "OK" } : { status: "OK", result };

export const failed = (errors: unknown): object => ({ status: "FAIL", errors });
