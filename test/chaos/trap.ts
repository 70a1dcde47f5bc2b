/**
 * Loaded into a producer before its own code (`node --import`): ends it with SIGKILL right after it made some bounty's
 * step into a state durable, or so many milliseconds later. From outside, the states that last for microseconds would
 * never be hit. The producer itself knows nothing of it.
 *
 *     disarmed ──SIGUSR2──► armed ──a bounty comes into the state──► sprung ──delay──► SIGKILL
 *
 * `CHAOS_TRAP` is `STATE:DELAY_MS:armed` or `STATE:DELAY_MS:disarmed`. "Durable" is the end of SQLite's transaction, and
 * no line of the producer's runs between that and a kill without delay.
 */
import { DatabaseSync, type StatementResultingChanges, StatementSync } from "node:sqlite";

function setTrap(order: string): void {
  const [state, delay, arming] = order.split(":");
  let isArmed = arming === "armed";
  let isSprung = false;
  process.on("SIGUSR2", () => {
    isArmed = true;
  });
  const die = (): void => {
    process.kill(process.pid, "SIGKILL");
  };
  const close = (): void => {
    if (Number(delay) === 0) die();
    else setTimeout(die, Number(delay));
  };
  const isStep = (sql: string, values: readonly unknown[]): boolean =>
    (/^\s*UPDATE bounty SET state/.test(sql) && values[0] === state) ||
    (/^\s*INSERT INTO bounty\b/.test(sql) && state === "seen");

  const databases = new WeakMap<StatementSync, DatabaseSync>();
  const { prepare, exec } = DatabaseSync.prototype;
  const { run } = StatementSync.prototype;
  DatabaseSync.prototype.prepare = function (...args) {
    const statement = prepare.apply(this, args);
    databases.set(statement, this);
    return statement;
  };
  StatementSync.prototype.run = function (this: StatementSync, ...values: readonly unknown[]) {
    const done = Reflect.apply(run, this, values) as StatementResultingChanges;
    if (!isArmed || isSprung || Number(done.changes) === 0 || !isStep(this.sourceSQL, values)) return done;
    isSprung = true;
    if (databases.get(this)?.isTransaction !== true) close();
    return done;
  };
  DatabaseSync.prototype.exec = function (sql) {
    exec.call(this, sql);
    if (isSprung && sql === "COMMIT") close();
  };
}

if (process.env.CHAOS_TRAP !== undefined) setTrap(process.env.CHAOS_TRAP);
