/** Forms of the output besides tables. */
export const FORMATS = ['json', 'yaml', 'csv', 'name', 'wide'] as const;
export type Format = (typeof FORMATS)[number];
