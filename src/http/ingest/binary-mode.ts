import type { IncomingMessage } from 'node:http';
import { invalidRequest } from '../server/problem.ts';

const PREFIX = 'ce-';
/** Headers that are not attributes: those that binary mode carries elsewhere, and keys that are unsafe in an object. */
const FORBIDDEN_HEADERS = new Set(
  ['data', 'datacontenttype', '__proto__', 'constructor', 'prototype'].map((name) => PREFIX + name),
);

/** Returns whether a request is a CloudEvent in binary mode: attributes as `ce-…` headers, data as the body. */
export function isBinaryMode({ headers }: IncomingMessage): boolean {
  return Object.keys(headers).some((name) => name.startsWith(PREFIX));
}

/**
 * Converts a request in binary mode to the event of structured mode (CloudEvents HTTP protocol binding 1.0.2, section 3.1).
 * @throws Problem `invalid-request` if a header is repeated or wrongly encoded.
 */
export function binaryEvent(request: IncomingMessage, data: unknown): Record<string, unknown> {
  const event: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(request.headersDistinct)) {
    if (!name.startsWith(PREFIX)) continue;
    const pointer = `/headers/${name}`;
    if (value === undefined || value.length !== 1)
      throw invalidRequest([{ pointer, detail: 'must occur once' }]);
    if (FORBIDDEN_HEADERS.has(name))
      throw invalidRequest([{ pointer, detail: 'is not an attribute of an event' }]);
    const text = decodeHeader(value[0] as string);
    if (text === undefined) {
      throw invalidRequest([
        { pointer, detail: 'must be printable ASCII; encode other characters as percent-encoded UTF-8' },
      ]);
    }
    event[name.slice(PREFIX.length)] = text;
  }
  const contentType = request.headers['content-type'];
  if (contentType !== undefined) event['datacontenttype'] = contentType;
  if (data !== undefined) event['data'] = data;
  return event;
}

function decodeHeader(value: string): string | undefined {
  if (!/^[\x20-\x7e]*$/.test(value)) return undefined;
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value)?.[1];
  try {
    return decodeURIComponent(quoted === undefined ? value : quoted.replace(/\\(.)/g, '$1'));
  } catch {
    return undefined;
  }
}

/** Converts a pointer into an event to a pointer into a request in binary mode: attributes are headers, data is the body. */
export function inBinaryMode(pointer: string): string {
  if (pointer.startsWith('/headers/')) return pointer;
  if (pointer === '/datacontenttype') return '/headers/content-type';
  return /^\/data(\/|$)/.test(pointer) ? pointer : pointer.replace(/^\//, '/headers/ce-');
}
