/**
 * The time of a marketplace, in which its deadlines are: blocks on a chain, milliseconds elsewhere. It does not go back for
 * long; what it counts from is the marketplace's matter.
 */
export type Moment = number;
