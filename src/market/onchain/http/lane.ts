/** Whose turn a request is in; see `Urgency`. */
export { URGENCIES as LANES, type Urgency as Lane } from "../port/marketplace.ts";
