/**
 * Branded numbers. The brand is optional, so that literals and the results of arithmetic need no cast, and a number of one
 * brand is still a compile error where another is expected: a revision is never passed as a position.
 */

/** Place of an event in the log: 1, 2, 3, … without gaps. 0 is the place before the first event. */
export type Position = number & { readonly __brand?: 'Position' };

/** Place of an event in its stream: 0, 1, 2, … */
export type Revision = number & { readonly __brand?: 'Revision' };
