/** A source could not be read, so nothing is known about its clusters. The message never contains a credential. */
export class SourceUnreadable extends Error {
  override readonly name = 'SourceUnreadable';
}
