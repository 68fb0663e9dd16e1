import { MalformedKey, NoteSigner, NoteVerifier } from './note-key.ts';

/** The keys of a log are missing or invalid. The ledger does not start with them. */
export class LogKeyError extends Error {
  override readonly name = 'LogKeyError';
}

/**
 * Keys of a log, one per line. `PRIVATE+KEY+…` is a private key, which signs; the first one is the current key.
 * `<name>+<id>+…` is the public key of a former one, whose signatures are still valid. During a rotation two keys sign, so that
 * readers can have either of them.
 */
export class LogKeys {
  readonly signers: readonly NoteSigner[];
  /** All keys whose signatures are valid; the keys that sign come first. */
  readonly verifiers: readonly NoteVerifier[];

  private constructor(signers: readonly NoteSigner[], former: readonly NoteVerifier[]) {
    this.signers = signers;
    this.verifiers = [...signers.map(({ verifier }) => verifier), ...former];
  }

  /** Generates a key. @param name the origin of the log. @throws LogKeyError if it is not a key name. */
  static generate(name: string): LogKeys {
    try {
      return new LogKeys([NoteSigner.generate(name)], []);
    } catch (cause) {
      throw new LogKeyError((cause as Error).message, { cause });
    }
  }

  /**
   * Parses keys.
   * @param text keys separated by white space; `#` begins a comment.
   * @param source name of the text in error messages.
   * @throws LogKeyError; its message contains no private key.
   */
  static parse(text: string, source: string): LogKeys {
    const words = text.split('\n').flatMap((line) => line.replace(/#.*/, '').split(/\s/).filter(Boolean));
    const [signers, former] = [[] as NoteSigner[], [] as NoteVerifier[]];
    for (const [i, word] of words.entries()) {
      try {
        if (word.startsWith('PRIVATE+')) signers.push(NoteSigner.parse(word));
        else former.push(NoteVerifier.parse(word));
      } catch (error) {
        if (!(error instanceof MalformedKey)) throw error;
        // The message does not repeat the text, which may be a damaged private key.
        throw new LogKeyError(`${source}: key ${i + 1} is not an Ed25519 key of a signed note`);
      }
    }
    if (signers.length === 0) throw new LogKeyError(`${source} has no private key (PRIVATE+KEY+…)`);
    const keys = new LogKeys(signers, former);
    const ids = keys.verifiers.map(({ name, keyId }) => `${name}+${keyId}`);
    if (new Set(ids).size < ids.length) throw new LogKeyError(`${source} has a duplicate key`);
    return keys;
  }

  /** The current key. */
  get current(): NoteVerifier {
    return (this.signers[0] as NoteSigner).verifier;
  }

  /** Returns the keys with a new current key of the same name. Both sign. @throws LogKeyError if two keys sign already. */
  rotated(): LogKeys {
    if (this.signers.length > 1)
      throw new LogKeyError('a rotation is in progress: retire the old key before you rotate again');
    const former = this.verifiers.slice(this.signers.length);
    return new LogKeys([NoteSigner.generate(this.current.name), ...this.signers], former);
  }

  /** Returns the keys with only the current key signing. @throws LogKeyError if only one key signs already. */
  retired(): LogKeys {
    if (this.signers.length < 2) throw new LogKeyError('there is no old key to retire: rotate first');
    return new LogKeys(this.signers.slice(0, 1), this.verifiers.slice(1));
  }

  /** Text that `parse` reads, with the private keys. */
  get text(): string {
    const former = this.verifiers.slice(this.signers.length);
    return [...this.signers.map(({ secret }) => secret), ...former].map((line) => `${line}\n`).join('');
  }
}
