import type { Guid } from "../../src/domain/guid.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { EngineProcess, producerFlags, temporaryFolder } from "./engine.ts";
import { EICAR, openMarket, REWARD } from "./market.ts";
import { Meddler } from "./meddler.ts";

/**
 * A sandbox with a meddler before it, and the producers that work through both, one after the other in one folder: for
 * files whose tests are the chapters of one story.
 */
export class MeddledMarket implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly meddler: Meddler;
  /** Everybody who worked here, the newest last. */
  readonly producers: EngineProcess[] = [];
  /** In the order of posting. */
  readonly guids: Guid[] = [];
  readonly #folder: ReturnType<typeof temporaryFolder>;

  private constructor(folder: ReturnType<typeof temporaryFolder>, sandbox: Sandbox, meddler: Meddler) {
    this.#folder = folder;
    this.sandbox = sandbox;
    this.meddler = meddler;
  }

  static async open(): Promise<MeddledMarket> {
    const folder = temporaryFolder();
    const sandbox = await openMarket(folder.path);
    return new MeddledMarket(folder, sandbox, await Meddler.open(sandbox.url));
  }

  get folder(): string {
    return this.#folder.path;
  }

  /** Who works now, or worked last. */
  get producer(): EngineProcess {
    return this.producers.at(-1)!;
  }

  /** Starts a producer, which goes on from one test to the next; resolves when it can answer. */
  async start(): Promise<EngineProcess> {
    const flags = [
      ...producerFlags(this.meddler.url, this.folder),
      "--embedded",
      "1",
      "--benign",
      "eicar=0.8",
    ];
    const producer = new EngineProcess(flags, {}, { outlivesTest: true });
    this.producers.push(producer);
    await Promise.all([producer.told("producer.ready"), producer.told("consumer.serving")]);
    return producer;
  }

  async post(duration: number): Promise<Guid> {
    const contents = [Buffer.from(`${EICAR}${" ".repeat(this.guids.length)}`)];
    const guid = await this.sandbox.postBounty({ contents, truth: [true], duration, reward: REWARD });
    this.guids.push(guid);
    return guid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const producer of this.producers) await producer[Symbol.asyncDispose]();
    await this.meddler[Symbol.asyncDispose]();
    await this.sandbox[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

/** Entries about one bounty. */
export const about = (guid: Guid) => (entry: object) => "guid" in entry && entry.guid === guid;
