/** What a hostile gateway may make of the transactions it builds for us, and what the refusal has to say of it. */

/** As the gateway writes it; integers beyond 2^53 come as bigint. */
export interface Built {
  readonly to: string;
  readonly value: unknown;
  readonly chainId: unknown;
  readonly gas: unknown;
  readonly gasPrice: unknown;
  readonly data: string;
}

export interface Alteration {
  /** Ends the sentence "refuses a transaction whose ..." or "refuses transactions ...". */
  readonly what: string;
  readonly alter: (built: readonly Built[]) => readonly Built[];
  readonly told: RegExp;
}

const STRANGER = "0x00000000000000000000000000000000000000BB";
const TRANSFER = "a9059cbb";

/** Alters one of the transactions. */
const at =
  (position: number, change: (one: Built) => Partial<Built>): Alteration["alter"] =>
  (built) =>
    built.map((one, index) => (index === position ? { ...one, ...change(one) } : one));
const set = (position: number, fields: Partial<Built>): Alteration["alter"] => at(position, () => fields);

/** Words of 32 bytes behind the selector. */
const wordsOf = (data: string): string[] => data.slice(10).match(/.{1,64}/g) ?? [];
const withWords = (data: string, words: readonly string[]): string => data.slice(0, 10) + words.join("");
const hex = (value: bigint): string => value.toString(16).padStart(64, "0");
const word = (position: number, index: number, change: (value: bigint) => bigint): Alteration["alter"] =>
  at(position, ({ data }) => {
    const words = wordsOf(data);
    return { data: withWords(data, words.with(index, hex(change(BigInt(`0x${words[index]}`))))) };
  });
const selector = (position: number, digits: string): Alteration["alter"] =>
  at(position, ({ data }) => ({ data: `0x${digits}${data.slice(10)}` }));
const transferOf = (model: Built): Built => ({
  ...model,
  data: `0x${TRANSFER}${hex(BigInt(STRANGER))}${hex(10n ** 21n)}`,
});

const [APPROVE, ASSERT] = [0, 1];
/** Words of postAssertion's call data: guid, offset of the bids, mask, commitment, number of bids, the bids. */
const [GUID, MASK, COMMITMENT, BIDS] = [0, 2, 3, 5];

/** Of an approval and an assertion with two bids that differ. */
export const ASSERTIONS: readonly Alteration[] = [
  {
    what: "an approval addressed to a stranger",
    alter: set(APPROVE, { to: STRANGER }),
    told: /approve: recipient is 0x0{38}BB/i,
  },
  {
    what: "an assertion addressed to a stranger",
    alter: set(ASSERT, { to: STRANGER }),
    told: /postAssertion: recipient is 0x0{38}BB/i,
  },
  {
    what: "an approval for another spender",
    alter: word(APPROVE, 0, () => BigInt(STRANGER)),
    told: /approve: spender is 0x0+bb/i,
  },
  {
    what: "an allowance raised by one base unit",
    alter: word(APPROVE, 1, (amount) => amount + 1n),
    told: /approve: amount is \d+ instead of \d+/,
  },
  {
    what: "an unlimited allowance",
    alter: word(APPROVE, 1, () => 2n ** 256n - 1n),
    told: /approve: amount is 115792\d+ instead/,
  },
  {
    what: "an allowance lowered by one base unit",
    alter: word(APPROVE, 1, (amount) => amount - 1n),
    told: /approve: amount is/,
  },
  {
    what: "an assertion on another bounty",
    alter: word(ASSERT, GUID, (guid) => guid ^ 1n),
    told: /postAssertion: guid is/,
  },
  {
    what: "a raised bid",
    alter: word(ASSERT, BIDS, (bid) => bid + 1n),
    told: /postAssertion: bid\[0\] is \d+ instead of \d+/,
  },
  {
    what: "permuted bids",
    alter: at(ASSERT, ({ data }) => {
      const words = wordsOf(data);
      const [first, second] = [words[BIDS]!, words[BIDS + 1]!];
      return { data: withWords(data, words.with(BIDS, second).with(BIDS + 1, first)) };
    }),
    told: /postAssertion: bid\[0\] is/,
  },
  {
    what: "a flipped bit of the mask",
    alter: word(ASSERT, MASK, (mask) => mask ^ 1n),
    told: /postAssertion: mask is 2 instead of 3/,
  },
  {
    what: "another commitment",
    alter: word(ASSERT, COMMITMENT, (commitment) => commitment ^ 1n),
    told: /postAssertion: commitment is/,
  },
  {
    what: "an assertion that carries value",
    alter: set(ASSERT, { value: 1 }),
    told: /postAssertion: value is 1 instead of 0/,
  },
  {
    what: "an approval for another chain",
    alter: set(APPROVE, { chainId: 1 }),
    told: /approve: chain id is 1 instead of 1338/,
  },
  {
    what: "an assertion for another chain",
    alter: set(ASSERT, { chainId: 1 }),
    told: /postAssertion: chain id is 1 instead of 1338/,
  },
  {
    what: "a gas limit too low to do anything",
    alter: set(ASSERT, { gas: 20_999 }),
    told: /postAssertion: gas limit 20999 is too low/,
  },
  {
    what: "a gas price",
    alter: set(ASSERT, { gasPrice: 1 }),
    told: /postAssertion: gas price 1 is above 0/,
  },
  {
    what: "a transfer appended",
    alter: (built) => [...built, transferOf(built[APPROVE]!)],
    told: /3 transactions instead of 2/,
  },
  {
    what: "the approval left out",
    alter: (built) => built.slice(1),
    told: /1 transactions instead of 2/,
  },
  { what: "nothing at all", alter: () => [], told: /0 transactions instead of 2/ },
  {
    what: "the two in the other order",
    alter: (built) => built.toReversed(),
    told: /approve: selector is .*postAssertion: recipient is/,
  },
  {
    what: "a transfer in place of the approval",
    alter: selector(APPROVE, TRANSFER),
    told: /approve: selector is a9059cbb, not 095ea7b3/,
  },
  {
    what: "a byte behind the arguments",
    alter: at(ASSERT, ({ data }) => ({ data: `${data}00` })),
    told: /postAssertion: 1 bytes trail the arguments/,
  },
  {
    what: "arguments cut short",
    alter: at(ASSERT, ({ data }) => ({ data: data.slice(0, -2) })),
    told: /postAssertion: call data ends before bid\[1\]/,
  },
];

/** Words of revealAssertion's call data. */
const REVEAL = { guid: 0, index: 1, nonce: 2, verdicts: 3, metadata: 6 };

export const REVEALS: readonly Alteration[] = [
  {
    what: "another bounty",
    alter: word(0, REVEAL.guid, (guid) => guid ^ 1n),
    told: /revealAssertion: guid is/,
  },
  {
    what: "another assertion's index",
    alter: word(0, REVEAL.index, (index) => index + 1n),
    told: /revealAssertion: index is \d+ instead of \d+/,
  },
  {
    what: "another nonce",
    alter: word(0, REVEAL.nonce, (nonce) => nonce ^ 1n),
    told: /revealAssertion: nonce is/,
  },
  {
    what: "a flipped verdict",
    alter: word(0, REVEAL.verdicts, (verdicts) => verdicts ^ 1n),
    told: /revealAssertion: verdicts is \d+ instead of \d+/,
  },
  {
    what: "other metadata",
    alter: word(0, REVEAL.metadata, (text) => text ^ (1n << 248n)),
    told: /revealAssertion: metadata word 0 is/,
  },
  {
    what: "a stranger for its recipient",
    alter: set(0, { to: STRANGER }),
    told: /revealAssertion: recipient is/,
  },
  {
    what: "a second transaction behind it",
    alter: (built) => [...built, transferOf(built[0]!)],
    told: /2 transactions instead of 1/,
  },
];

export const SETTLEMENTS: readonly Alteration[] = [
  { what: "another bounty", alter: word(0, 0, (guid) => guid ^ 1n), told: /settleBounty: guid is/ },
  { what: "a transfer's selector", alter: selector(0, TRANSFER), told: /settleBounty: selector is a9059cbb/ },
  {
    what: "a value",
    alter: set(0, { value: 10n ** 18n }),
    told: /settleBounty: value is 1000000000000000000/,
  },
];
