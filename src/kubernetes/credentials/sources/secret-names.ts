import { CredentialRefused } from '../credential-source.ts';

/** Names of namespaces and Secrets in Kubernetes; checked before they become part of a URL. */
const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const KEY = /^[A-Za-z0-9._-]{1,253}$/;

/** Splits `<namespace>/<name>` or, if `withKey`, also `<namespace>/<name>/<key>`. @throws CredentialRefused */
export function splitName(
  text: string,
  withKey = false,
): { readonly namespace: string; readonly name: string; readonly key: string | undefined } {
  const [namespace = '', name = '', key, ...more] = text.split('/');
  const isName = NAMESPACE.test(namespace) && NAME.test(name) && !name.includes('..');
  const isKey = key === undefined || (withKey && KEY.test(key));
  if (isName && isKey && more.length === 0) return { namespace, name, key };
  throw new CredentialRefused('connection', `must be <namespace>/<name>${withKey ? '[/<key>]' : ''}`);
}
