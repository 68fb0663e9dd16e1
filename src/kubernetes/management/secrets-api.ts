import type { Dispatcher } from 'undici';
import { decodeText } from '../../util/decode-text.ts';
import { SourceUnreadable } from './source-unreadable.ts';

/** The fields of a Secret that are read. */
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
  /** Values in base64. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: Secret;
}

/** The API server no longer keeps this resource version: list again. */
export class Expired extends Error {
  override readonly name = 'Expired';
}

/** Maximum length of a line of a watch: a Secret of 1 MiB in base64, with room to spare. */
const MAX_LINE_CHARS = 4 * 1024 * 1024;

/** Parses a response. @throws Expired, SourceUnreadable with the status only, never the content. */
export async function readJson(statusCode: number, body: Dispatcher.ResponseData['body']): Promise<unknown> {
  if (statusCode !== 200) {
    await body.dump();
    if (statusCode === 410) throw new Expired('the resource version has expired');
    throw new SourceUnreadable(`the management cluster answered with status ${statusCode}`, statusCode);
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
      throw new SourceUnreadable('the management cluster sent a line that is too long');
    for (const line of lines) if (line !== '') yield line;
  }
}

export function toEvent(line: string): WatchEvent {
  const event = JSON.parse(line) as { type: string; object: Secret & { code?: number } };
  if (event.type !== 'ERROR') return event as WatchEvent;
  if (event.object.code === 410) throw new Expired('the resource version has expired');
  throw new SourceUnreadable(`the watch failed with ${event.object.code ?? 'an unknown status'}`);
}

/** Returns an error with the kind of failure. It never contains what was sent or received. */
export function unreadable(error: unknown): Error {
  if (error instanceof SourceUnreadable || error instanceof Expired) return error;
  const { code, name } = error as NodeJS.ErrnoException;
  const kind = typeof code === 'string' ? code : (name ?? 'unknown error');
  return new SourceUnreadable(`the management cluster cannot be read: ${kind}`);
}

/** Returns the keys of a Secret in alphabetical order. */
export function keysOf({ data = {} }: Pick<Secret, 'data'>): readonly string[] {
  return Object.keys(data).sort();
}

/** Returns the value of a key of a Secret as text; `undefined` if there is none. */
export function textOf({ data }: Pick<Secret, 'data'>, key: string): string | undefined {
  const encoded = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  return encoded === undefined ? undefined : decodeText(Buffer.from(encoded, 'base64'));
}
