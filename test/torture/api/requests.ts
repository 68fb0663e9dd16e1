import fc from 'fast-check';
import type { Named, Parameter, Schema } from '../../support/contract.ts';
import { type Arbitraries, odd } from './arbitraries.ts';

/** A request to an operation, and what is wrong with it. */
export interface ApiRequest {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Absent if the request is as the document has it. */
  readonly defect?: string;
}

/** The parts of a request, before they are written. */
interface Parts {
  method: string;
  readonly path: Record<string, unknown>;
  readonly query: [name: string, value: unknown][];
  readonly headers: Record<string, string>;
  body: unknown;
  /** The body as text, if it is not the JSON of `body`. */
  raw?: string;
}

/** Parameters that can make an answer wait, and the values that they have here. */
const UNHURRIED: Readonly<Record<string, readonly unknown[]>> = {
  wait: [0],
  minPosition: ['0', '1', '3'],
  after: ['0', '1', '3'],
};

/** Returns requests to an operation that are as the document has them. */
export function validRequests(named: Named, arbitraries: Arbitraries): fc.Arbitrary<ApiRequest> {
  return partsOf(named, arbitraries).map((parts) =>
    written(named, { ...parts, query: consistent(parts.query) }),
  );
}

/** Returns requests to an operation with one defect each. */
export function defectiveRequests(named: Named, arbitraries: Arbitraries): fc.Arbitrary<ApiRequest> {
  return fc
    .tuple(partsOf(named, arbitraries), fc.constantFrom(...DEFECTS), odd, fc.nat())
    .map(([parts, [defect, spoil], value, pick]) => {
      spoil(parts, value, pick);
      return { ...written(named, parts), defect };
    });
}

/** Leaves out what the document can only say in words: a window is a period, or from and to; a cursor comes from a page. */
function consistent(query: Parts['query']): Parts['query'] {
  const given = new Map(query.filter(([name]) => name !== 'cursor'));
  if (given.has('period')) for (const name of ['from', 'to']) given.delete(name);
  const [from, to] = [given.get('from'), given.get('to')];
  if (from !== undefined && to !== undefined && Date.parse(String(from)) > Date.parse(String(to)))
    return [...given.set('from', to).set('to', from)];
  return [...given];
}

function partsOf({ method, operation }: Named, arbitraries: Arbitraries): fc.Arbitrary<Parts> {
  const { parameters = [], requestBody } = operation;
  const inside = (where: string) => parameters.filter((parameter) => parameter.in === where);
  const valuesFor = ({ name, schema }: Parameter) =>
    UNHURRIED[name] === undefined
      ? arbitraries.of(schema, name)
      : fc.constantFrom(...(UNHURRIED[name] as unknown[]));
  const path = fc.record(Object.fromEntries(inside('path').map((each) => [each.name, valuesFor(each)])));
  const query = fc.tuple(
    ...inside('query').map((each) =>
      (each.required ? valuesFor(each) : fc.option(valuesFor(each), { freq: 2, nil: undefined })).map(
        (value) => [each.name, value] as [string, unknown],
      ),
    ),
  );
  const bodies = Object.entries(requestBody?.content ?? {}).map(([mediaType, { schema, examples = {} }]) => {
    const valid = arbitraries.of(schema as Schema);
    const values = Object.values(examples).map(({ value }) => value);
    const body =
      values.length === 0 ? valid : fc.oneof({ arbitrary: valid, weight: 4 }, fc.constantFrom(...values));
    return body.map((value) => ({ mediaType, value }));
  });
  const none = fc.constant({ mediaType: '', value: undefined as unknown });
  const body =
    bodies.length === 0
      ? none
      : requestBody?.required === true
        ? fc.oneof(...bodies)
        : fc.oneof(none, ...bodies);
  const forms = Object.entries(operation.responses).flatMap(([status, response]) =>
    status.startsWith('2')
      ? [...Object.keys(response.content ?? {}), ...Object.keys(response['x-other-forms'] ?? {})]
      : [],
  );
  const accept = fc.constantFrom('', '', '*/*', ...forms);
  // In binary mode the attributes of an event are headers.
  const attributes = fc.record(
    Object.fromEntries(inside('header').map((each) => [each.name, valuesFor(each)])),
  );
  const head = method === 'GET' ? fc.constantFrom('GET', 'GET', 'GET', 'HEAD') : fc.constant(method);
  return fc
    .tuple(path, query, body, accept, attributes, head)
    .map(([pathValues, queryValues, { mediaType, value }, accepted, inHeaders, verb]) => ({
      method: verb,
      path: { ...pathValues },
      query: queryValues.filter(([, each]) => each !== undefined),
      headers: {
        ...(accepted !== '' && { accept: accepted }),
        ...(mediaType !== '' && { 'content-type': mediaType }),
        ...(mediaType === 'application/json' && asHeaders(inHeaders)),
      },
      body: value,
    }));
}

function asHeaders(values: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => {
      const header = encodeURIComponent(asText(value).toWellFormed());
      return header === '' ? [] : [[name, header]];
    }),
  );
}

type Defect = readonly [name: string, spoil: (parts: Parts, value: unknown, pick: number) => void];

const printable = (value: unknown) => JSON.stringify(value)?.replace(/[^\x20-\x7e]/g, '') ?? 'undefined';

/** The ways in which a request is spoiled. A defect that a request has no place for leaves it valid. */
const DEFECTS: readonly Defect[] = [
  ['an unknown query parameter', (parts, value) => parts.query.push(['unknown', value])],
  [
    'an odd query parameter',
    ({ query }, value, pick) => {
      const chosen = query[pick % Math.max(1, query.length)];
      if (chosen !== undefined && UNHURRIED[chosen[0]] === undefined) chosen[1] = value;
    },
  ],
  ['a missing query parameter', ({ query }, _, pick) => query.splice(pick % Math.max(1, query.length), 1)],
  [
    'a query parameter twice',
    ({ query }, _, pick) => {
      const chosen = query[pick % Math.max(1, query.length)];
      if (chosen !== undefined) query.push(chosen);
    },
  ],
  [
    'an odd path',
    ({ path }, value, pick) => {
      const names = Object.keys(path);
      const name = names[pick % Math.max(1, names.length)];
      if (name !== undefined) path[name] = value;
    },
  ],
  [
    'an odd member',
    (parts, value, pick) => {
      const places = placesIn(parts.body);
      const place = places[pick % Math.max(1, places.length)];
      if (place === undefined) parts.body = value;
      else place(value);
    },
  ],
  [
    'an unknown member',
    ({ body }, value) => {
      if (typeof body === 'object' && body !== null && !Array.isArray(body))
        Object.defineProperty(body, 'Unknown', { value, enumerable: true, configurable: true });
    },
  ],
  ['an odd body', (parts, value) => Object.assign(parts, { body: value })],
  [
    'a body that is not JSON',
    (parts, value, pick) => {
      const json = JSON.stringify(parts.body ?? {});
      parts.raw =
        [json.slice(0, -1), `${json}x`, '', `\ufeff${json}`, '{"a":1,"a":2}', '1e999', asText(value)][
          pick % 7
        ] ?? '';
    },
  ],
  [
    'an odd media type',
    ({ headers }, value, pick) => {
      const types = [
        'text/plain',
        'application/xml',
        'application/json; charset=latin1',
        'x',
        printable(value),
      ];
      headers['content-type'] = types[pick % types.length] as string;
    },
  ],
  [
    'an odd header',
    ({ headers }, value, pick) => {
      const names = [
        'accept',
        'if-none-match',
        'idempotency-key',
        'content-encoding',
        'origin',
        'authorization',
        'x-odd',
        'ce-odd',
      ];
      headers[names[pick % names.length] as string] = printable(value).slice(0, 300);
    },
  ],
];

/** Returns functions that replace each member of a value. */
function placesIn(value: unknown): ((other: unknown) => void)[] {
  if (typeof value !== 'object' || value === null) return [];
  const owner = value as Record<string, unknown>;
  return Object.keys(owner).flatMap((key) => [
    (other: unknown) =>
      Object.defineProperty(owner, key, { value: other, enumerable: true, configurable: true }),
    ...placesIn(owner[key]),
  ]);
}

function written({ path: template }: Named, { method, path, query, headers, body, raw }: Parts): ApiRequest {
  const target = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => segment(path[name]));
  const search = new URLSearchParams(
    query.map(([name, value]): [string, string] => [name, asText(value)]),
  ).toString();
  const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const carries = method !== 'GET' && method !== 'HEAD' && text !== undefined;
  const { 'content-type': contentType, ...others } = headers;
  return {
    method,
    path: search === '' ? target : `${target}?${search}`,
    headers: contentType !== undefined && method !== 'GET' && method !== 'HEAD' ? headers : others,
    ...(carries && { body: text }),
  };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** Writes a value as a segment of a path. `.`, `..` and nothing would lead to another resource. */
function segment(value: unknown): string {
  const text = asText(value).toWellFormed();
  return /^\.{0,2}$/.test(text) ? '_' : encodeURIComponent(text);
}
