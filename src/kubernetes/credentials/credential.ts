import { inspect } from 'node:util';

/** What opens a cluster: a kubeconfig as its owner gave it, which is hostile input, or an address and what to show there. */
export type CredentialContent =
  | { readonly kind: 'kubeconfig'; readonly text: string }
  | {
      readonly kind: 'endpoint';
      readonly server: string;
      /** PEM in base64; without it the system's own roots are trusted. */
      readonly caData?: string;
      /** Name that the certificate must be for, where it is not the server's. */
      readonly tlsServerName?: string;
      readonly token?: string;
      readonly username?: string;
      readonly password?: string;
      /** PEM in base64; always with `clientKeyData`. */
      readonly clientCertData?: string;
      readonly clientKeyData?: string;
      /** The owner asks not to look at the certificate: then nothing secret may be sent. */
      readonly insecure?: boolean;
    };

const HIDDEN = '[credential]';

/** A credential on its way to a probe. It can be taken out on purpose only: a log, an error or JSON shows nothing of it. */
export class Credential {
  readonly #content: CredentialContent;

  constructor(content: CredentialContent) {
    this.#content = content;
  }

  get kind(): CredentialContent['kind'] {
    return this.#content.kind;
  }

  /** The secret itself: for the probe, and for nothing that writes. */
  reveal(): CredentialContent {
    return this.#content;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
