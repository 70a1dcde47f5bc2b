/**
 * Reads regular expressions, in the part of Python's dialect that can be matched in time proportional to the text:
 * literals, `.`, classes, `\d \w \s \b` and their opposites, `^ $ \A \Z`, groups, `|`, `* + ? {m,n}` and their lazy
 * forms, and the flags `(?i)`, `(?m)`, `(?s)` at the beginning. What needs backtracking is refused: lookaround,
 * backreferences, possessive and atomic groups. Characters are code points, classes are Unicode's, as in Python.
 */

export type PatternNode =
  | { readonly kind: "char"; readonly matches: (char: string) => boolean }
  /** Holds or does not between two characters; `at` is the index of the one behind. */
  | { readonly kind: "edge"; readonly holds: (chars: readonly string[], at: number) => boolean }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly options: readonly PatternNode[] }
  | { readonly kind: "repeat"; readonly part: PatternNode; readonly least: number; readonly most: number };

type CharTest = (char: string) => boolean;

const DIGIT: CharTest = (char) => /^\p{Nd}$/u.test(char);
const WORD: CharTest = (char) => /^[\p{L}\p{N}_]$/u.test(char);
/** Python counts four separators of old and the next line as blank, and the byte order mark not. */
const BLANK: CharTest = (char) =>
  "\u001c\u001d\u001e\u001f\u0085".includes(char) || (/^\s$/.test(char) && char !== "\ufeff");
const not =
  (test: CharTest): CharTest =>
  (char) =>
    !test(char);
const CLASSES: Readonly<Record<string, CharTest>> = {
  d: DIGIT,
  D: not(DIGIT),
  w: WORD,
  W: not(WORD),
  s: BLANK,
  S: not(BLANK),
};
const CONTROLS: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  f: "\f",
  v: "\v",
  a: "\u0007",
};

const atWordEdge = (chars: readonly string[], at: number): boolean =>
  WORD(chars[at - 1] ?? "") !== WORD(chars[at] ?? "");

/** Throws RangeError that says what cannot be read where. */
export function parsePattern(source: string): PatternNode {
  const [whole = "", letters = ""] = /^\(\?([ims]+)\)/.exec(source) ?? [];
  return new PatternReader([...source], whole.length, new Set(letters)).read();
}

class PatternReader {
  readonly #chars: readonly string[];
  readonly #flags: ReadonlySet<string>;
  #at: number;

  constructor(chars: readonly string[], at: number, flags: ReadonlySet<string>) {
    this.#chars = chars;
    this.#at = at;
    this.#flags = flags;
  }

  read(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#chars.length) throw this.#fault('")" closes nothing');
    return node;
  }

  #choice(): PatternNode {
    const options = [this.#sequence()];
    while (this.#skip("|")) options.push(this.#sequence());
    return options.length === 1 ? options[0]! : { kind: "choice", options };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#chars.length && this.#peek() !== "|" && this.#peek() !== ")") {
      parts.push(this.#repeated(this.#atom()));
    }
    return { kind: "sequence", parts };
  }

  #repeated(part: PatternNode): PatternNode {
    const bounds = this.#bounds();
    if (bounds === undefined) return part;
    const [least, most] = bounds;
    if (least > most) throw this.#fault("a repetition has its bounds the wrong way round");
    // Lazy or not, the same texts match.
    if (!this.#skip("?") && this.#peek() === "+")
      throw this.#fault("possessive repetitions are not understood");
    if (this.#bounds() !== undefined) throw this.#fault("a repetition is repeated");
    return { kind: "repeat", part, least, most };
  }

  #bounds(): readonly [least: number, most: number] | undefined {
    if (this.#skip("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#skip("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#skip("?")) return [0, 1];
    const braces = /^\{(\d*)(,?)(\d*)\}/.exec(this.#chars.slice(this.#at, this.#at + 24).join(""));
    if (braces === null || braces[0] === "{}") return undefined;
    const [text, least = "", comma, most = ""] = braces;
    this.#at += text.length;
    if (comma === "") return [Number(least), Number(least)];
    return [Number(least), most === "" ? Number.POSITIVE_INFINITY : Number(most)];
  }

  #atom(): PatternNode {
    const char = this.#next();
    switch (char) {
      case "(":
        return this.#group();
      case "[":
        return { kind: "char", matches: this.#folded(this.#class()) };
      case "\\":
        return this.#escape();
      case ".":
        return { kind: "char", matches: this.#flags.has("s") ? () => true : (other) => other !== "\n" };
      case "^":
        return this.#flags.has("m") ? edge((chars, at) => at === 0 || chars[at - 1] === "\n") : START;
      case "$":
        return this.#flags.has("m")
          ? edge((chars, at) => at === chars.length || chars[at] === "\n")
          : END_LINE;
      case "*":
      case "+":
      case "?":
        throw this.#fault(`there is nothing to repeat before "${char}"`);
      default:
        return { kind: "char", matches: this.#folded((other) => other === char) };
    }
  }

  #group(): PatternNode {
    const rest = this.#chars.slice(this.#at, this.#at + 80).join("");
    const opening = /^\?(?::|P<[A-Za-z_]\w*>)/.exec(rest)?.[0];
    if (opening === undefined && rest.startsWith("?")) {
      throw this.#fault(
        `"(${rest.slice(0, 3)}" is not understood; groups are (...), (?:...) and (?P<name>...), flags stand first`,
      );
    }
    this.#at += opening?.length ?? 0;
    const node = this.#choice();
    if (!this.#skip(")")) throw this.#fault('a ")" is missing');
    return node;
  }

  #escape(): PatternNode {
    switch (this.#peek()) {
      case "A":
        this.#at++;
        return START;
      case "Z":
        this.#at++;
        return edge((chars, at) => at === chars.length);
      case "b":
        this.#at++;
        return edge(atWordEdge);
      case "B":
        this.#at++;
        return edge((chars, at) => !atWordEdge(chars, at));
    }
    const escaped = this.#escaped();
    if (typeof escaped !== "string") return { kind: "char", matches: escaped };
    return { kind: "char", matches: this.#folded((other) => other === escaped) };
  }

  /** Behind a backslash: a class of characters, or one. */
  #escaped(): CharTest | string {
    const letter = this.#next("the pattern ends in a backslash");
    const known = Object.hasOwn(CLASSES, letter) ? CLASSES[letter] : undefined;
    if (known !== undefined) return known;
    if (Object.hasOwn(CONTROLS, letter)) return CONTROLS[letter]!;
    if (letter === "x" || letter === "u" || letter === "U") return this.#codePoint(letter);
    if (/^[1-9]$/.test(letter)) throw this.#fault("backreferences are not understood");
    if (letter === "0") return this.#octal();
    if (/^[A-Za-z]$/.test(letter)) throw this.#fault(`"\\${letter}" is not understood`);
    return letter;
  }

  /** Behind `\0`: up to two more octal digits. */
  #octal(): string {
    const [digits = ""] = /^[0-7]{0,2}/.exec(this.#chars.slice(this.#at, this.#at + 2).join("")) ?? [];
    this.#at += digits.length;
    return String.fromCodePoint(Number.parseInt(`0${digits}`, 8));
  }

  #codePoint(letter: "x" | "u" | "U"): string {
    const digits = { x: 2, u: 4, U: 8 }[letter];
    const hex = this.#chars.slice(this.#at, this.#at + digits).join("");
    const code = Number.parseInt(hex, 16);
    if (!/^[0-9A-Fa-f]+$/.test(hex) || hex.length < digits || code > 0x10ffff)
      throw this.#fault(`"\\${letter}" wants ${digits} hex digits`);
    this.#at += digits;
    return String.fromCodePoint(code);
  }

  #class(): CharTest {
    const inverted = this.#skip("^");
    const tests: CharTest[] = [];
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      tests.push(this.#classItem());
    }
    this.#at++;
    return inverted
      ? (char) => !tests.some((test) => test(char))
      : (char) => tests.some((test) => test(char));
  }

  #classItem(): CharTest {
    const low = this.#classChar();
    if (typeof low !== "string") return low;
    const ranges = this.#peek() === "-" && this.#chars[this.#at + 1] !== "]";
    if (!ranges) return (char) => char === low;
    this.#at++;
    const high = this.#classChar();
    if (typeof high !== "string" || codeOf(high) < codeOf(low)) throw this.#fault("a range is none");
    return (char) => codeOf(char) >= codeOf(low) && codeOf(char) <= codeOf(high);
  }

  #classChar(): CharTest | string {
    const char = this.#next('a "]" is missing');
    if (char !== "\\") return char;
    if (this.#skip("b")) return "\b";
    return this.#escaped();
  }

  #folded(test: CharTest): CharTest {
    if (!this.#flags.has("i")) return test;
    return (char) => test(char) || test(char.toLowerCase()) || test(char.toUpperCase());
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #skip(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #next(missing = "it ends too early"): string {
    const char = this.#chars[this.#at];
    if (char === undefined) throw this.#fault(missing);
    this.#at++;
    return char;
  }

  #fault(what: string): RangeError {
    return new RangeError(`${what} (at character ${this.#at})`);
  }
}

const edge = (holds: (chars: readonly string[], at: number) => boolean): PatternNode => ({
  kind: "edge",
  holds,
});
const START = edge((_chars, at) => at === 0);
const END_LINE = edge((chars, at) => at === chars.length || (at === chars.length - 1 && chars[at] === "\n"));

const codeOf = (char: string): number => char.codePointAt(0) ?? -1;
