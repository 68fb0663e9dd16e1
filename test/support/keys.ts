import type { TestLedger } from './ledger.ts';

/** A key as its creation answers it. */
export interface CreatedKey {
  readonly id: string;
  readonly key: string;
}

export const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

const JSON_BODY = { 'content-type': 'application/json' };

/** Sends a request with a key and, if given, a JSON body. */
export function sendAs(
  ledger: TestLedger,
  key: string | undefined,
  method: string,
  path: string,
  body?: unknown,
) {
  return ledger.fetch(path, {
    method,
    headers: { ...(key !== undefined && bearer(key)), ...(body !== undefined && JSON_BODY) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

/** Creates a key. @param by the key of an operator; absent for the first one. */
export async function createKey(
  ledger: TestLedger,
  by: string | undefined,
  fields: { role: string; name?: string; accountId?: string; expiresAt?: string },
): Promise<CreatedKey> {
  const { status, body, text } = await sendAs(ledger, by, 'POST', '/v1/keys', { name: 'a test', ...fields });
  if (status !== 201) throw new Error(`no key was created: ${status} ${text}`);
  return body;
}
