/** A log that nobody reads, but for failures. */
export const silent = {
  info: () => undefined,
  warn: () => undefined,
  error: (details: object, message: string) => {
    throw new Error(message, { cause: details });
  },
};
