import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../domain/instant.ts";
import { PROMISED_STATES, STAKED_STATES } from "../../domain/lifecycle.ts";
import type { Ledger } from "../ledger.ts";
import { newestSettled, settledOf } from "../read/history.ts";
import { profitSince, stakedIn, stakedSince } from "../read/money.ts";
import { summarizeLedger } from "../read/summary.ts";
import { ArtifactTable } from "./artifact-table.ts";
import { AssertionTable } from "./assertion-table.ts";
import { BountyTable } from "./bounty-table.ts";
import { LedgerDatabase } from "./database.ts";
import { JournalTable } from "./journal-table.ts";
import { openLedgerFile } from "./open-file.ts";
import { PinTable } from "./pin-table.ts";

/** Opens (or makes) the ledger in a file; ":memory:" for one that is gone with the process. */
export const openLedger = (file: string, clock: Clock): Ledger => ledgerOn(openLedgerFile(file), clock);

/** The ledger on an open connection, which is closed with it. */
export function ledgerOn(connection: DatabaseSync, clock: Clock): Ledger {
  const db = new LedgerDatabase(connection);
  const bounties = new BountyTable(db, clock);
  const artifacts = new ArtifactTable(db, bounties, clock);
  const assertions = new AssertionTable(db, bounties, clock);
  const journal = new JournalTable(db, bounties, clock);
  const pins = new PinTable(db);
  return {
    see: (bounty) => bounties.see(bounty),
    find: (key) => bounties.find(key),
    inStates: (market, states) => bounties.inStates(market, states),
    publishedIn: (market, states) => bounties.publishedIn(market, states),
    advance: (key, to) => bounties.advance(key, to),
    abandon: (key, reason) => bounties.abandon(key, reason),
    reopen: (key) => bounties.reopen(key),
    recordRevealed: (key) => bounties.recordRevealed(key),
    recordRevealMissed: (key) => bounties.recordRevealMissed(key),
    recordDetails: (key, details) => bounties.recordDetails(key, details),
    recordQuorum: (key) => bounties.recordQuorum(key),
    writeOff: (market, reason) => bounties.writeOff(market, reason),
    writtenOff: (market, reason, most) => bounties.writtenOff(market, reason, most),
    takeBack: (market, reason) => bounties.takeBack(market, reason),

    recordTriage: (key, decisions) => artifacts.recordTriage(key, decisions),
    recordOpinions: (key, opinions, answers) => artifacts.recordOpinions(key, opinions, answers),
    recordTruth: (key, truth) => artifacts.recordTruth(key, truth),

    planAssertion: (key, plan) => assertions.planAssertion(key, plan),
    assertion: (key) => assertions.assertion(key),
    hasAsserted: (market) => assertions.hasAsserted(market),
    recordFee: (key, fee) => assertions.recordFee(key, fee),
    recordRequested: (key, ms) => assertions.recordRequested(key, ms),
    recordAsserted: (key, index) => assertions.recordAsserted(key, index),
    recordIndex: (key, index) => assertions.recordIndex(key, index),
    recordMetadataUri: (key, uri) => assertions.recordMetadataUri(key, uri),
    recordSettled: (key, payout) => assertions.recordSettled(key, payout),
    requestTimes: () => assertions.requestTimes(),

    journal: (key, step, entries) => journal.journal(key, step, entries),
    references: (key, step) => journal.references(key, step),
    lastEntries: (key, step) => journal.lastEntries(key, step),
    firstSequence: (key, step) => journal.firstSequence(key, step),
    takenSequence: (market, after) => journal.takenSequence(market, after),
    openEntries: (market) => journal.openEntries(market),
    entriesFrom: (market, sequence) => journal.entriesFrom(market, sequence),
    newestPosition: () => journal.newestPosition(),
    newestSequence: (market, after) => journal.newestSequence(market, after),
    entriesBySequence: (market, from, most, after) => journal.entriesBySequence(market, from, most, after),

    pin: (market, name) => pins.pin(market, name),
    setPin: (market, name, value) => pins.setPin(market, name, value),
    replacePin: (market, name, value) => pins.replacePin(market, name, value),
    note: (market, name) => pins.note(market, name),
    setNote: (market, name, value) => pins.setNote(market, name, value),

    atRisk: (market) => stakedIn(connection, STAKED_STATES, market),
    committed: (market) => stakedIn(connection, PROMISED_STATES, market),
    stakedSince: (since) => stakedSince(connection, since),
    profitSince: (since) => profitSince(connection, since),
    newestSettled: (most) => newestSettled(connection, most),
    settledOf: (key) => settledOf(connection, key),
    summary: () => summarizeLedger(connection),

    together: (changes) => db.atomically(changes),
    [Symbol.dispose]: () => connection.close(),
  };
}
