import type { IncomingMessage } from 'node:http';
import { invalidRequest } from '../server/problem.ts';

const PREFIX = 'ce-';
/** What stands elsewhere in binary mode, and what no object may be given as a key. */
const NO_ATTRIBUTES = new Set(
  ['data', 'datacontenttype', '__proto__', 'constructor', 'prototype'].map((name) => PREFIX + name),
);

/** Whether a request carries a CloudEvent in binary mode: its attributes as `ce-…` headers, its data as the body. */
export function isBinaryMode({ headers }: IncomingMessage): boolean {
  return Object.keys(headers).some((name) => name.startsWith(PREFIX));
}

/**
 * The event of a request in binary mode, in the form that it has in structured mode (CloudEvents HTTP protocol binding
 * 1.0.2, section 3.1).
 * @throws Problem where a header stands twice or is not encoded as it must be.
 */
export function binaryEvent(request: IncomingMessage, data: unknown): Record<string, unknown> {
  const event: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(request.headersDistinct)) {
    if (!name.startsWith(PREFIX)) continue;
    const pointer = `/headers/${name}`;
    if (value === undefined || value.length !== 1)
      throw invalidRequest([{ pointer, detail: 'must stand once' }]);
    if (NO_ATTRIBUTES.has(name))
      throw invalidRequest([{ pointer, detail: 'is not an attribute of an event' }]);
    const text = decodeHeader(value[0] as string);
    if (text === undefined) {
      throw invalidRequest([{ pointer, detail: 'must be printable ASCII, all else percent-encoded UTF-8' }]);
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

/** In binary mode a field of the event stands in a header, unless it is of the data. */
export function inBinaryMode(pointer: string): string {
  if (pointer.startsWith('/headers/')) return pointer;
  if (pointer === '/datacontenttype') return '/headers/content-type';
  return /^\/data(\/|$)/.test(pointer) ? pointer : pointer.replace(/^\//, '/headers/ce-');
}
