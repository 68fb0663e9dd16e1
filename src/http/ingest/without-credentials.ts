const MASK = '(credential removed)';

/** Text that is a credential by its form: PEM and PEM in base64, JSON Web Tokens, API keys of this ledger. */
const CREDENTIAL =
  /-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)|LS0tLS1CRUdJTi[A-Za-z0-9+/=_-]*|\bey[JI][A-Za-z0-9_-]+\.[A-Za-z0-9._-]*|\bclk_[A-Za-z0-9]+_[A-Za-z0-9_-]+/g;

/** Names of fields that hold credentials, in JSON or YAML within text. */
const NAMED =
  /(["']?\b(?:token|password|secret|api-?key|client-key-data|client-certificate-data|authorization)["']?\s*[:=]\s*)(["']?)(?:[^\s"',}\\]|\\.)+\2/gi;
const NAME = /^(?:.*[-_])?(?:token|password|secret|api-?key|client-key-data|kubeconfig|authorization)$/i;

/**
 * Returns a text without the parts that look like credentials. The log is kept forever and many can read it, so that it must
 * not hold what a producer posted by mistake.
 */
export function maskCredentials(text: string): string {
  return text.replace(CREDENTIAL, MASK).replace(NAMED, `$1$2${MASK}$2`);
}

/** Returns a copy of a JSON value without texts that look like credentials, or stand in fields that are named like them. */
export function withoutCredentials<T>(value: T): T {
  const text = JSON.stringify(value, (key, each: unknown) => {
    if (typeof each !== 'string') return each;
    return NAME.test(key) ? MASK : maskCredentials(each);
  });
  return JSON.parse(text) as T;
}
