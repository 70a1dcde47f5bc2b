/** How much of a content the bytes are that are looked at: all of it, or only its first bytes. */
export type Extent = "whole" | "beginning";
