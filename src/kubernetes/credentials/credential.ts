import { inspect } from 'node:util';

/** Content of a credential: a kubeconfig, which is untrusted input, or an endpoint with a login. */
export type CredentialContent =
  | { readonly kind: 'kubeconfig'; readonly text: string }
  | {
      readonly kind: 'endpoint';
      readonly server: string;
      /** PEM in base64; without it the root certificates of the system are trusted. */
      readonly caData?: string;
      /** Name in the certificate, if it is not the host of the server. */
      readonly tlsServerName?: string;
      readonly token?: string;
      readonly username?: string;
      readonly password?: string;
      /** PEM in base64; always with `clientKeyData`. */
      readonly clientCertData?: string;
      readonly clientKeyData?: string;
      /** Whether to skip verification of the certificate. Such a credential is rejected. */
      readonly insecure?: boolean;
      /** A login that is never used: the name of its field and the reason. */
      readonly leftOut?: string;
    };

const HIDDEN = '[credential]';

/** A credential that is never printed by accident: logs, errors and JSON show a placeholder. */
export class Credential {
  readonly #content: CredentialContent;

  constructor(content: CredentialContent) {
    this.#content = content;
  }

  get kind(): CredentialContent['kind'] {
    return this.#content.kind;
  }

  /** Returns the secret. Only the probe may call this. */
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
