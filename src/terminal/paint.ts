import { styleText } from "node:util";

const STYLES = { good: "green", bad: "red", faint: "dim" } as const;

/** Colours on a terminal, by what they mean. */
export type Paint = (text: string, mood: keyof typeof STYLES) => string;

export const COLORS: Paint = (text, mood) => styleText(STYLES[mood], text, { validateStream: false });

export const PLAIN: Paint = (text) => text;

/** What is needed of standard output or error; that of a terminal knows its colours. */
interface Colorable {
  readonly isTTY?: boolean;
  hasColors?(env: NodeJS.ProcessEnv): boolean;
}

/** Whether it is a terminal that shows colours, and the environment (NO_COLOR, TERM) does not say no. */
export const hasColors = (out: Colorable, env: NodeJS.ProcessEnv): boolean =>
  out.isTTY === true && out.hasColors?.(env) === true;
