import * as fc from 'fast-check';

/** Longest time of one property, in milliseconds: a mutant that no quick run notices counts as survived. */
const LONGEST_MS = 500;

// The same histories for every mutant, and no search for a smaller one: that a mutant is found is enough.
fc.configureGlobal({ seed: 20_261_126, endOnFailure: true, interruptAfterTimeLimit: LONGEST_MS });
