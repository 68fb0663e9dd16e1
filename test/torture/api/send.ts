import type { Answer } from '../../support/ledger.ts';
import type { ApiRequest } from './requests.ts';

const TIMEOUT_MS = 60_000;

/** Sends a request. Of an answer that never ends, such as server-sent events, only the head is read. */
export async function sendTo(
  url: string,
  { path, method, headers, body }: Pick<ApiRequest, 'path'> & Partial<ApiRequest>,
): Promise<Answer> {
  const response = await fetch(url + path, {
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(method !== undefined && { method }),
    ...(headers !== undefined && { headers }),
    ...(body !== undefined && { body }),
  });
  const contentType = response.headers.get('content-type') ?? '';
  const isEndless = contentType.startsWith('text/event-stream');
  if (isEndless) await response.body?.cancel();
  const text = isEndless ? '' : await response.text();
  const isJson = /^application\/(\w+\+)?json\b/.test(contentType);
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : undefined,
  };
}
