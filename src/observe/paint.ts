/** Colours on a terminal, by what they mean. */
export type Paint = (text: string, mood: "good" | "bad" | "faint") => string;

export const COLORS: Paint = (text, mood) => {
  const code = { good: 32, bad: 31, faint: 2 }[mood];
  return `\x1b[${code}m${text}\x1b[0m`;
};

export const PLAIN: Paint = (text) => text;
