import { AccessDeniedError } from '@eventstore/db-client';
import { commandError } from './error-mapping.ts';

/** An operation of the ledger on the server. */
export type Operation = 'append' | 'read' | 'follow';

/** Who the ledger is on the server. */
export interface ServerAccess {
  readonly user: string | undefined;
  readonly namespace: string;
}

const DOCS = 'see docs/how-to/use-eventstoredb.md';

const CERTIFICATE = /certificate|self.signed|altnames|CERT_|UNABLE_TO_(?:VERIFY|GET)|DEPTH_ZERO|ERR_TLS/i;

/**
 * Returns what an operator has to do about an error that a repeat does not solve: missing rights, a wrong password, an
 * untrusted certificate. `undefined` for all other errors.
 */
export function adviceFor(
  operation: Operation,
  error: unknown,
  { user, namespace }: ServerAccess,
): string | undefined {
  const converted = commandError(error);
  if (!(converted instanceof Error)) return undefined;
  const { message } = converted;
  if (converted instanceof AccessDeniedError) {
    if (user === undefined)
      return `the server requires a user: put one into LEDGER_STORE (esdb://user:password@…); ${DOCS}`;
    if (message.includes('UNAUTHENTICATED'))
      return `the server does not accept the name or the password of the user ${user}: correct LEDGER_STORE`;
    return `the user ${user} ${MISSING_RIGHTS[operation](namespace)}; ${DOCS}`;
  }
  if (CERTIFICATE.test(message))
    return `the certificate of the server is not trusted (${message.replace(/\s+/g, ' ')}): name the certificate of its authority with tlsCaFile in LEDGER_STORE, and connect to a name that the certificate is for`;
  return undefined;
}

const MISSING_RIGHTS: Readonly<Record<Operation, (namespace: string) => string>> = {
  follow: () =>
    'may not read $all, so the ledger cannot see its own log: add the user to the readers of $all',
  read: (namespace) =>
    `may not read the streams of the ledger: add the user to the readers of the streams ${namespace}.* and ${namespace}~*`,
  append: (namespace) =>
    `may not write to the streams of the ledger: add the user to the writers of the streams ${namespace}.* and ${namespace}~*`,
};
