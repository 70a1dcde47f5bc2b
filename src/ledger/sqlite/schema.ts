/**
 * The ledger's tables, as a list of migrations: entry n brings a file of version n to version n + 1. Entries are never
 * edited once released. Amounts and 256-bit integers are decimal text (SQLite integers end at 2^63), instants are Unix
 * milliseconds, lists and objects are JSON.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE bounty (
    chain TEXT NOT NULL,
    guid TEXT NOT NULL,
    kind TEXT NOT NULL,
    author TEXT NOT NULL,
    amount TEXT NOT NULL,
    uri TEXT NOT NULL,
    artifact_count INTEGER NOT NULL,
    expiration INTEGER NOT NULL,
    claims TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    quorum INTEGER NOT NULL DEFAULT 0,
    reveal_missed INTEGER NOT NULL DEFAULT 0,
    seen_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (chain, guid)
  ) STRICT;
  CREATE INDEX bounty_by_state ON bounty (state);

  CREATE TABLE artifact (
    chain TEXT NOT NULL,
    guid TEXT NOT NULL,
    position INTEGER NOT NULL,
    triage TEXT NOT NULL,
    verdict TEXT,
    confidence_ppm INTEGER,
    probability_ppm INTEGER,
    low_ppm INTEGER,
    high_ppm INTEGER,
    family TEXT,
    reason TEXT,
    truth INTEGER,
    PRIMARY KEY (chain, guid, position)
  ) STRICT;

  CREATE TABLE answer (
    chain TEXT NOT NULL,
    guid TEXT NOT NULL,
    position INTEGER NOT NULL,
    backend TEXT NOT NULL,
    verdict TEXT NOT NULL,
    confidence REAL NOT NULL,
    reason TEXT,
    body TEXT NOT NULL,
    answered_at INTEGER NOT NULL,
    PRIMARY KEY (chain, guid, position, backend)
  ) STRICT;

  CREATE TABLE assertion (
    chain TEXT NOT NULL,
    guid TEXT NOT NULL,
    commitment TEXT NOT NULL,
    nonce TEXT NOT NULL,
    mask TEXT NOT NULL,
    verdicts TEXT NOT NULL,
    bids TEXT NOT NULL,
    stake TEXT NOT NULL,
    fee TEXT NOT NULL,
    metadata TEXT NOT NULL,
    metadata_uri TEXT,
    position INTEGER,
    planned_at INTEGER NOT NULL,
    requested_ms INTEGER,
    payout TEXT,
    PRIMARY KEY (chain, guid)
  ) STRICT;

  CREATE TABLE signed_transaction (
    hash TEXT PRIMARY KEY,
    chain TEXT NOT NULL,
    guid TEXT NOT NULL,
    action TEXT NOT NULL,
    signed_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX signed_transaction_by_bounty ON signed_transaction (chain, guid, action);

  CREATE TABLE pin (
    chain TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (chain, name)
  ) STRICT;
  `,
  // An approval signed together with an assertion decides nothing. No release has written a ledger of version 1.
  "ALTER TABLE signed_transaction ADD COLUMN decides INTEGER NOT NULL DEFAULT 1;",
  // What was signed can be handed over again; what the market told and does not repeat is noted.
  `
  ALTER TABLE signed_transaction ADD COLUMN nonce TEXT NOT NULL DEFAULT '0';
  ALTER TABLE signed_transaction ADD COLUMN raw TEXT NOT NULL DEFAULT '';
  ALTER TABLE signed_transaction ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX assertion_by_time ON assertion (planned_at);

  -- The stop-loss looks back from now: what was settled before this column came is dated by its last change.
  ALTER TABLE assertion ADD COLUMN settled_at INTEGER;
  UPDATE assertion SET settled_at = (SELECT updated_at FROM bounty
    WHERE bounty.chain = assertion.chain AND bounty.guid = assertion.guid AND state = 'settled');
  CREATE INDEX assertion_by_settlement ON assertion (settled_at, payout, stake, fee);

  CREATE TABLE note (
    chain TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (chain, name)
  ) STRICT;
  `,
  // What was bid on may differ from the opinion, by the operator's modifiers.
  "ALTER TABLE assertion ADD COLUMN confidences TEXT;",
  // A confidence is the chance that the verdict is right; it was the distance from even odds before, 0 to 1.
  `
  UPDATE artifact SET confidence_ppm = CASE verdict
    WHEN 'malicious' THEN probability_ppm
    WHEN 'benign' THEN 1000000 - probability_ppm
    WHEN 'suspicious' THEN max(probability_ppm, 1000000 - probability_ppm)
    ELSE 0 END
  WHERE confidence_ppm IS NOT NULL;
  UPDATE assertion SET confidences =
    (SELECT json_group_array((1000001 + value) / 2 ORDER BY key) FROM json_each(assertion.confidences))
  WHERE confidences IS NOT NULL;
  `,
  // A payout of more than all NCT there is (28 digits of base units) was made up: an unknown payout counts for nothing.
  "UPDATE assertion SET payout = NULL WHERE length(payout) > 28;",
  // What is written down is keyed by the market, which need not be on a chain.
  `
  ALTER TABLE bounty RENAME COLUMN chain TO market;
  ALTER TABLE artifact RENAME COLUMN chain TO market;
  ALTER TABLE answer RENAME COLUMN chain TO market;
  ALTER TABLE assertion RENAME COLUMN chain TO market;
  ALTER TABLE signed_transaction RENAME COLUMN chain TO market;
  ALTER TABLE pin RENAME COLUMN chain TO market;
  ALTER TABLE note RENAME COLUMN chain TO market;
  `,
  // What is signed comes after all that was signed before: asked for before a signature, which must not wait for a walk.
  "CREATE INDEX signed_transaction_by_time ON signed_transaction (signed_at);",
  // The journal holds whatever a marketplace takes, transactions or not; what one marketplace alone knows of a bounty is its own.
  `
  ALTER TABLE signed_transaction RENAME TO journal;
  ALTER TABLE journal RENAME COLUMN hash TO reference;
  ALTER TABLE journal RENAME COLUMN action TO step;
  ALTER TABLE journal RENAME COLUMN signed_at TO written_at;
  ALTER TABLE journal RENAME COLUMN nonce TO sequence;
  ALTER TABLE journal RENAME COLUMN raw TO bytes;
  DROP INDEX signed_transaction_by_bounty;
  DROP INDEX signed_transaction_by_time;
  CREATE INDEX journal_by_bounty ON journal (market, guid, step);
  CREATE INDEX journal_by_time ON journal (written_at);

  -- Of the others it is made when it is read: a ledger of a million bounties must not be rewritten before a reveal is sent.
  ALTER TABLE bounty ADD COLUMN details TEXT;
  UPDATE bounty SET details = json_object('expiration', expiration) WHERE state IN
    ('seen', 'triaged', 'dispatched', 'distilled', 'planned', 'posting', 'asserted', 'revealing', 'revealed', 'settling');
  `,
];

/** What a marketplace keeps with a bounty, of rows of any age. */
export const DETAILS = "coalesce(details, json_object('expiration', expiration)) AS details";
/** A column that nothing is read from any more, and that wants a value. */
export const FORMER = { column: "expiration", value: "0" } as const;
