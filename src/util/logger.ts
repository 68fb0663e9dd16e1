/** Structured log, as pino writes it: details for machines, and a message that starts in lower case. */
export interface Logger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}
