/** How the program ends. */
export const EXIT = {
  done: 0,
  failed: 1,
  usageError: 2,
  /** What was looked at is not as it must be. */
  checksFailed: 3,
  unreachable: 4,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command ends here; the message is for people. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exit: ExitCode;

  constructor(exit: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exit = exit;
  }
}

/** The arguments fit no command. */
export function usageError(message: string): CliError {
  return new CliError(EXIT.usageError, message);
}

/** The ledger, or its store, could not be reached. */
export function unreachable(message: string, cause?: unknown): CliError {
  return new CliError(EXIT.unreachable, message, { cause });
}
