import type { Dispatcher } from 'undici';
import { SourceUnreadable } from './source-unreadable.ts';

/** A Secret as the API gives it out, as far as it is looked at. */
export interface Secret {
  readonly type?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly { readonly time?: string }[];
  };
  /** In base64. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: Secret;
}

/** What was known as of a version of the cluster is no longer kept there: list again. */
export class Expired extends Error {
  override readonly name = 'Expired';
}

/** A Secret has at most 1 MiB, and is written down in base64. */
const MAX_LINE_CHARS = 4 * 1024 * 1024;

/** @throws Expired, SourceUnreadable which say the status, and nothing of what was read. */
export async function readJson(statusCode: number, body: Dispatcher.ResponseData['body']): Promise<unknown> {
  if (statusCode !== 200) {
    await body.dump();
    if (statusCode === 410) throw new Expired('the version is no longer kept');
    throw new SourceUnreadable(`the management cluster answered ${statusCode}`);
  }
  try {
    return await body.json();
  } catch (error) {
    throw unreadable(error);
  }
}

export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARS)
      throw new SourceUnreadable('the management cluster sent too long a line');
    for (const line of lines) if (line !== '') yield line;
  }
}

export function toEvent(line: string): WatchEvent {
  const event = JSON.parse(line) as { type: string; object: Secret & { code?: number } };
  if (event.type !== 'ERROR') return event as WatchEvent;
  if (event.object.code === 410) throw new Expired('the version is no longer kept');
  throw new SourceUnreadable(`the watch failed with ${event.object.code ?? 'an unknown status'}`);
}

/** Says what kind of failure it was: never what was sent, received or given as credential. */
export function unreadable(error: unknown): Error {
  if (error instanceof SourceUnreadable || error instanceof Expired) return error;
  const { code, name } = error as NodeJS.ErrnoException;
  const kind = typeof code === 'string' ? code : (name ?? 'unknown error');
  return new SourceUnreadable(`the management cluster cannot be read: ${kind}`);
}

/** What stands under a key of a Secret, as text; `undefined` where nothing does. */
export function textOf({ data }: Pick<Secret, 'data'>, key: string): string | undefined {
  const encoded = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}
