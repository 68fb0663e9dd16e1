/** A source could not be read, so nothing is known about its clusters. The message never contains a credential. */
export class SourceUnreadable extends Error {
  override readonly name = 'SourceUnreadable';
  /** Status of the HTTP answer; absent if there was none. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}
