/**
 * The names of the log's entries, for each process, beside what a producer tells (ProducerEvents, RecoverEvents), which a program
 * can hear, too. Dashboards and alerts hang on them: rename one as you would a column. test/unit/log-names.test.ts holds that
 * each of them is said somewhere, and none that is not here.
 */

/** Of every process. */
type ProcessEntry =
  /** The log's reader was too slow, and lines were left out. */
  | "log.dropped"
  | "setting.ignored"
  /** A secret was given where others on the machine can read it. */
  | "secrets.visible"
  /** The process that started this one is gone. */
  | "process.orphaned"
  | "process.warning"
  /** What a dependency wrote on its own account. */
  | "console.output"
  /** The event loop stood still. */
  | "loop.stalled"
  | "http.listening"
  /** A metric could not be read anew, and has its last value. */
  | "metrics.stale"
  | "proxy.used";

/** Of producers and consumers that reach Redis. */
type RedisEntry =
  | "redis.waiting"
  | "redis.error"
  | "redis.node-error"
  | "redis.back"
  /** Anyone who reaches it may use it. */
  | "redis.open"
  | "redis.small"
  | "redis.may-evict"
  /** This machine's clock is not that of Redis: deadlines are instants. */
  | "clock.differs";

/** Of both sides of the queue. */
type QueueEntry =
  | "queue.accepted"
  | "queue.refused"
  | "queue.forged-job"
  | "queue.forged-answer"
  | "queue.forged-lease"
  // The producer's side.
  | "queue.error"
  | "queue.interrupted"
  | "queue.reconnected"
  | "queue.memory-lost"
  | "queue.foreign-answer"
  | "queue.stream-broke"
  | "queue.stream-error"
  | "queue.stream-not-opened"
  | "queue.consumer-died"
  | "queue.consumer-error"
  | "queue.job-lost"
  // The consumer's side.
  | "queue.malformed-job"
  | "queue.job-given-back"
  | "queue.job-stalled"
  | "queue.worker-error"
  | "queue.worker-not-opened"
  | "queue.producer-gone"
  | "queue.send-failed";

/** Of a consumer and its scan workers, and of `scan`. */
type ScanEntry =
  | "consumer.serving"
  | "consumer.stopped"
  | "consumer.wallet-secrets-dropped"
  | "download.trouble"
  | "download.recovered"
  | "scan.answered"
  | "scan.failed"
  | "scan.progress"
  | "scanner.starting"
  | "scanner.start-failed"
  | "scanner.ready"
  | "scanner.trouble"
  | "scanner.recovered"
  | "scanner.died"
  | "scanner.told"
  | "scanner.output"
  | "scanner.metadata-dropped";

/** Of a producer and of `recover`, about the gateway. */
type MarketEntry =
  | "market.unreachable"
  | "market.reconnecting"
  | "market.stream-unavailable"
  /** What was asked for after the stream opened did not come. */
  | "market.state-stale"
  | "market.block-odd"
  | "market.event-unknown"
  | "market.event-invalid"
  | "market.events-dropped"
  | "market.listener-failed"
  /** The signer does not sign what the gateway built. */
  | "transaction.refused"
  | "market.claims-refused"
  | "market.fee-changed"
  | "market.get-body-dropped"
  | "market.nonce-stale"
  | "market.nonce-gap-filled";

/** Of a producer, beside its events. */
type ProducerEntry =
  | "lease.waiting"
  | "lease.held"
  /** Redis cannot be asked whether the lease is still ours. */
  | "lease.adrift"
  | "lease.back"
  | "lease.overwritten"
  | "producer.not-closed";

type RelayEntry = "relay.listening" | "relay.stopped" | "relay.refused" | "relay.unreachable";

export type SandboxPlayer = "ambassador" | "arbiter" | "commissioner" | "rival";

type SandboxEntry =
  | "chain.started"
  | "chain.died"
  | "chain.follow.failed"
  | "gateway.request.failed"
  | "gateway.event.unreadable"
  | "gateway.balance.failed"
  | "gateway.receipt.failed"
  | "gateway.trace.failed"
  | "bounty.posted"
  | "bounty.unposted"
  | "bounty.settled"
  | "arbiter.voted"
  | "rival.asserted"
  | "sandbox.done"
  /** A step failed, or the chain could not be read. */
  | `${SandboxPlayer}.${"failed" | "blind"}`;

export type LogName =
  | ProcessEntry
  | RedisEntry
  | QueueEntry
  | ScanEntry
  | MarketEntry
  | ProducerEntry
  | RelayEntry
  | SandboxEntry;
