import { MalformedKey, NoteSigner, NoteVerifier } from './note-key.ts';

/** The keys of a log are not what they must be: the ledger must not start with them. */
export class LogKeyError extends Error {
  override readonly name = 'LogKeyError';
}

/**
 * The keys of a log, a line each: `PRIVATE+KEY+…` signs, the first one is the current; `<name>+<id>+…` is the public line of
 * a former one, whose old signatures are still good. Two that sign are a rotation under way: readers may know either.
 */
export class LogKeys {
  readonly signers: readonly NoteSigner[];
  /** All that signatures are accepted of, those that sign first. */
  readonly verifiers: readonly NoteVerifier[];

  private constructor(signers: readonly NoteSigner[], former: readonly NoteVerifier[]) {
    this.signers = signers;
    this.verifiers = [...signers.map(({ verifier }) => verifier), ...former];
  }

  /** A new key. @param name for a log's own key, its origin. @throws LogKeyError where that can be the name of no key */
  static generate(name: string): LogKeys {
    try {
      return new LogKeys([NoteSigner.generate(name)], []);
    } catch (cause) {
      throw new LogKeyError((cause as Error).message, { cause });
    }
  }

  /**
   * Reads what `text` gives.
   * @param text keys with white space between them; what stands behind a `#` is a comment.
   * @param where what to call the text in an error.
   * @throws LogKeyError, whose message holds no private key.
   */
  static parse(text: string, where: string): LogKeys {
    const words = text.split('\n').flatMap((line) => line.replace(/#.*/, '').split(/\s+/).filter(Boolean));
    const [signers, former] = [[] as NoteSigner[], [] as NoteVerifier[]];
    for (const [i, word] of words.entries()) {
      try {
        if (word.startsWith('PRIVATE+')) signers.push(NoteSigner.parse(word));
        else former.push(NoteVerifier.parse(word));
      } catch (error) {
        if (!(error instanceof MalformedKey)) throw error;
        // What is no public line may be a mangled private one.
        throw new LogKeyError(`${where}: key ${i + 1} is no Ed25519 key of a signed note`);
      }
    }
    if (signers.length === 0) throw new LogKeyError(`${where} holds no private key (PRIVATE+KEY+…)`);
    const keys = new LogKeys(signers, former);
    const ids = keys.verifiers.map(({ name, keyId }) => `${name}+${keyId}`);
    if (new Set(ids).size < ids.length) throw new LogKeyError(`${where} holds a key twice`);
    return keys;
  }

  /** The key that signs first. */
  get current(): NoteVerifier {
    return (this.signers[0] as NoteSigner).verifier;
  }

  /** A new key of the same name beside the one there is: both sign. @throws LogKeyError while two sign already */
  rotated(): LogKeys {
    if (this.signers.length > 1)
      throw new LogKeyError('a rotation is under way: retire the old key before the next one');
    const former = this.verifiers.slice(this.signers.length);
    return new LogKeys([NoteSigner.generate(this.current.name), ...this.signers], former);
  }

  /** Only the current key signs; the others become former ones. @throws LogKeyError where only one signs */
  retired(): LogKeys {
    if (this.signers.length < 2) throw new LogKeyError('there is no old key to retire: rotate first');
    return new LogKeys(this.signers.slice(0, 1), this.verifiers.slice(1));
  }

  /** What `parse` reads, the private keys included. */
  get text(): string {
    const former = this.verifiers.slice(this.signers.length);
    return [...this.signers.map(({ secret }) => secret), ...former].map((line) => `${line}\n`).join('');
  }
}
