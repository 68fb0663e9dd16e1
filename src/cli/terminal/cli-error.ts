/** Exit codes of the program. */
export const EXIT = {
  done: 0,
  failed: 1,
  usageError: 2,
  /** A check found a fault: `verify`, `doctor`. */
  checksFailed: 3,
  unreachable: 4,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with an exit code. The message is printed to stderr. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exit: ExitCode;

  constructor(exit: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exit = exit;
  }
}

/** Returns the error for invalid arguments. */
export function usageError(message: string): CliError {
  return new CliError(EXIT.usageError, message);
}

/** Returns the error for a ledger or a store that cannot be reached. */
export function unreachable(message: string, cause?: unknown): CliError {
  return new CliError(EXIT.unreachable, message, { cause });
}
