/** Number of a cluster in the model: 0, 1, 2, … in the order of first facts. Branded as in src/util/log-numbers.ts. */
export type ClusterNumber = number & { readonly __brand?: 'ClusterNumber' };

/** Number of an account in the model: 0, 1, 2, … in the order of first registrations. */
export type AccountNumber = number & { readonly __brand?: 'AccountNumber' };
