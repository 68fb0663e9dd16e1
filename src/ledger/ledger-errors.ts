/** The store did not acknowledge in time: the facts may be recorded or not. Posting them again settles it. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}

/** More is waiting to be written than the ledger takes on. Nothing was written. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';
}

/** The answers have not come to the end of the log in time. Nothing was written. */
export class NotCaughtUp extends Error {
  override readonly name = 'NotCaughtUp';
}
