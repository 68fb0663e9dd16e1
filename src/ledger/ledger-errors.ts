/** The store did not acknowledge in time, so the facts may or may not be recorded. Posting the same events again is safe. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}

/** Some facts of a call are recorded, and the store refused the others. Posting all again is safe, and records the others. */
export class PartlyRecorded extends OutcomeUnknown {
  /** @param recorded number of facts that the call recorded. @param submitted number of facts of the call. */
  constructor(recorded: number, submitted: number, options: { readonly cause: unknown }) {
    super(`${recorded} of ${submitted} facts were recorded before the store refused the rest`, options);
  }
}

/** Too many facts are waiting to be written. Nothing was written. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';
}

/** The projections have not reached the end of the log in time. Nothing was written. */
export class NotCaughtUp extends Error {
  override readonly name = 'NotCaughtUp';
}

/** The clock of the host cannot be trusted, so the command was not carried out. Nothing was written. */
export class ClockUntrusted extends Error {
  override readonly name = 'ClockUntrusted';
}
