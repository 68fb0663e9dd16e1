/** The OpenAPI document: what routes declare, completed with what holds for every operation. */
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RouteAccess } from '../access/route-access.ts';
import { type Examples, problems } from '../contract.ts';
import { PROBLEMS, type ProblemCode } from '../server/problem.ts';
import { HEADERS, HEADERS_OF_ALL, type HeaderName } from './headers.ts';
import { BEARER, SESSION } from './info.ts';
import { type Node, override, tidySchemas, visit } from './schemas.ts';

/** Not imported: an import gets all that `node:http` exports, and loads its WebSocket for that, 5 % of a start. */
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** Problems that every operation can have. */
const OF_ALL: readonly ProblemCode[] = [
  'invalid-request',
  'malformed-http',
  'request-timeout',
  'uri-too-long',
  'unsupported-media-type',
  'expectation-failed',
  'wrong-host',
  'headers-too-large',
  'internal',
  'overloaded',
];
/** Problems of every operation that is answered from what the ledger has read, or from the store. */
const OF_READS: readonly ProblemCode[] = [
  'catching-up',
  'position-not-reached',
  'store-unavailable',
  'store-failed',
];
/** Problems of every operation that may change something. */
const OF_WRITES: readonly ProblemCode[] = [
  'foreign-origin',
  'malformed-json',
  'too-large',
  'catching-up',
  'outcome-unknown',
  'read-only',
  'store-unavailable',
  'store-failed',
  'store-full',
];

/** Headers that a problem of a status may have. */
const HEADERS_OF_STATUS: Readonly<Record<string, readonly HeaderName[]>> = {
  401: ['WWW-Authenticate'],
  415: ['Accept-Encoding'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};

/** Problems of every operation that needs a credential. */
const OF_CALLERS: readonly ProblemCode[] = [
  'unauthenticated',
  'forbidden',
  'rate-limited',
  'issuer-unavailable',
  'store-unavailable',
];
/** Problems of every operation on a resource that the path names. */
const OF_PATHS: readonly ProblemCode[] = ['not-found'];

type Transform = ReturnType<typeof createJsonSchemaTransform>;
type TransformObject = ReturnType<typeof createJsonSchemaTransformObject>;

const zodToJsonConfig = { override } as NonNullable<
  Parameters<typeof createJsonSchemaTransform>[0]['zodToJsonConfig']
>;
const transformRoute = createJsonSchemaTransform({ zodToJsonConfig });
const transformDocument = createJsonSchemaTransformObject({ zodToJsonConfig });

/** A response as a route declares it: a schema, or more than a schema. */
interface Declared {
  readonly description?: string;
  readonly with?: readonly HeaderName[];
  readonly codes?: readonly ProblemCode[];
  readonly content?: Readonly<Record<string, { readonly schema: z.ZodType; readonly examples?: Examples }>>;
  readonly otherForms?: Readonly<Record<string, z.ZodType>>;
  readonly isStreamed?: boolean;
}

/** A body of a request with a schema for each media type. */
interface Bodies {
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType; readonly examples?: Examples }>>;
}

interface Route {
  readonly method: string;
  readonly url: string;
  readonly access: RouteAccess;
  readonly response: Readonly<Record<string, Declared | z.ZodType>>;
  readonly body: z.ZodType | Bodies | undefined;
}

/** Returns the hooks of @fastify/swagger that build the document. */
export function contractHooks(): { transform: Transform; transformObject: TransformObject } {
  const routes = new Map<string, Route>();
  return {
    transform: (document) => {
      const { schema, route, url } = document;
      if (schema?.hide !== true && schema?.operationId !== undefined) {
        const { body, response = {} } = schema as unknown as Route;
        const { access = 'public' } = route.config ?? {};
        routes.set(schema.operationId, { method: String(route.method), url, access, body, response });
      }
      // Requests with bodies and responses are added below; the parameters come from here.
      return transformRoute({ ...document, schema: withoutBodies(schema) } as typeof document);
    },
    transformObject: (document) => {
      const complete = transformDocument(document) as unknown as Node;
      const paths = complete['paths'] as Record<string, Record<string, Node>>;
      const components = complete['components'] as Node;
      for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
        const route = routes.get(String(operation['operationId']));
        if (route !== undefined) completeOperation(operation, route);
      }
      components['schemas'] = tidySchemas(paths as Node, components['schemas'] as Node);
      nameProblems(components['schemas'] as Node);
      components['responses'] = shareResponses(paths as Node);
      components['headers'] = usedHeaders([paths, components['responses']]);
      return complete as never;
    },
  };
}

/** Says which roles may call an operation. */
function rolesOf(access: Exclude<RouteAccess, 'public'>): string {
  const limits = { all: '', own: ' (own accounts, clusters and facts)', filtered: ' (sees only its own)' };
  const others = Object.entries(access).map(([role, scope]) => `${role}${limits[scope]}`);
  return `Roles: ${['operator', ...others].join(', ')}.`;
}

function withoutBodies(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  const { body: _, response: __, consumes: ___, ...rest } = schema as Node;
  return rest;
}

function completeOperation(operation: Node, { method, url, access, body, response }: Route): void {
  if (body !== undefined) operation['requestBody'] = requestBodyOf(body);
  const parameters = (operation['parameters'] ?? []) as { name: string; in: string }[];
  const isRead = parameters.some(({ name }) => name === 'minPosition');
  const isWrite = method !== 'GET';
  const isPublic = access === 'public';
  const shared: HeaderName[] = isPublic ? [] : ['Ledger-Position'];
  operation['security'] ??= isPublic ? [] : [{ [BEARER]: [] }, { [SESSION]: [] }, {}];
  if (!isPublic) operation['description'] = `${operation['description'] ?? ''} ${rolesOf(access)}`.trim();
  const codes = [
    ...OF_ALL,
    ...(isPublic ? [] : OF_CALLERS),
    ...(url.includes('/:') ? OF_PATHS : []),
    ...(isRead ? OF_READS : []),
    ...(isWrite ? OF_WRITES : []),
    ...Object.values(response).flatMap((each) => (each as Declared).codes ?? []),
  ];
  const responses: Record<string, Node> = {};
  for (const [status, declared] of Object.entries(response)) {
    if ((declared as Declared).codes === undefined)
      responses[status] = responseOf(status, declared, shared, method === 'GET' && status === '200');
  }
  const tagged = responses['200']?.['headers'] as Node | undefined;
  if (tagged?.['ETag'] !== undefined)
    responses['304'] = {
      description: 'Nothing has changed since the answer whose ETag the request has in `If-None-Match`.',
      headers: headersOf([...HEADERS_OF_ALL, 'ETag', ...shared]),
    };
  for (const [status, { description, content, codes: own }] of Object.entries(problems(...new Set(codes)))) {
    const problem = {
      description,
      headers: headersOf([...HEADERS_OF_ALL, 'Ledger-Position', ...(HEADERS_OF_STATUS[status] ?? [])]),
      content: { 'application/problem+json': { schema: toJson(content['application/problem+json'].schema) } },
      'x-problem-codes': [...own],
    };
    const other = responses[status];
    responses[status] =
      other === undefined
        ? problem
        : { ...problem, ...other, content: { ...(other['content'] as Node), ...problem.content } };
  }
  operation['responses'] = responses;
}

function responseOf(
  status: string,
  declared: Declared | z.ZodType,
  shared: readonly HeaderName[],
  isTagged: boolean,
): Node {
  const created: HeaderName[] = status === '201' || status === '202' ? ['Location'] : [];
  const {
    description = 'The answer.',
    with: own = [],
    content,
    otherForms,
    isStreamed = false,
  } = declared instanceof z.ZodNull
    ? { description: 'Done. There is no body.' }
    : declared instanceof z.ZodType
      ? { description: declared.description, content: { 'application/json': { schema: declared } } }
      : (declared as Declared);
  if (content === undefined || status === '204')
    return { description, headers: headersOf([...HEADERS_OF_ALL, ...shared, ...own]) };
  const isWhole =
    !isStreamed && Object.keys(content).some((mediaType) => /^(application\/json$|text\/)/.test(mediaType));
  const names: HeaderName[] = [
    ...HEADERS_OF_ALL,
    ...shared,
    ...own,
    ...created,
    ...(isTagged && isWhole ? (['ETag'] as const) : []),
  ];
  return {
    description,
    headers: headersOf(names),
    content: contentOf(content),
    ...(otherForms !== undefined && {
      'x-other-forms': Object.fromEntries(
        Object.entries(otherForms).map(([mediaType, schema]) => [mediaType, { schema: toJson(schema) }]),
      ),
    }),
  };
}

function requestBodyOf(body: z.ZodType | Bodies): Node {
  if (!(body instanceof z.ZodType)) return { required: true, content: contentOf(body.content, 'input') };
  const isOptional = body.isOptional();
  const schema = isOptional ? unwrapped(body) : body;
  return { required: !isOptional, content: contentOf({ 'application/json': { schema } }, 'input') };
}

/** Returns the schema of a body that may be missing, without saying that it may be null. */
function unwrapped(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable
    ? unwrapped(schema.unwrap() as z.ZodType)
    : schema;
}

function contentOf(content: Bodies['content'], io: 'input' | 'output' = 'output'): Node {
  return Object.fromEntries(
    Object.entries(content).map(([mediaType, { schema, examples }]) => [
      mediaType,
      { schema: toJson(schema, io), ...(examples !== undefined && { examples }) },
    ]),
  );
}

/** Converts one schema by way of a route, which is the way that the library offers. */
function toJson(schema: z.ZodType, io: 'input' | 'output' = 'output'): Node {
  const route = io === 'input' ? { body: schema } : { response: { 200: schema } };
  const { schema: converted } = transformRoute({
    schema: route,
    url: '',
    route: {},
    openapiObject: { openapi: '3.1.0' },
  } as never) as unknown as { schema: { body: Node; response: { 200: Node } } };
  return io === 'input' ? converted.body : converted.response[200];
}

function headersOf(names: readonly HeaderName[]): Node {
  return Object.fromEntries(
    [...new Set(names)].sort().map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
}

/** Moves the responses that several operations have to the components, named after their status. */
function shareResponses(paths: Node): Node {
  const count = new Map<string, number>();
  const each = (call: (responses: Record<string, Node>, status: string) => void) =>
    visit(paths, ({ responses }) => {
      if (responses === undefined) return;
      for (const status of Object.keys(responses as Node)) call(responses as Record<string, Node>, status);
    });
  each((responses, status) => {
    const text = JSON.stringify([status, responses[status]]);
    count.set(text, (count.get(text) ?? 0) + 1);
  });
  const shared: Node = {};
  const names = new Map<string, string>();
  each((responses, status) => {
    if (Number(status) < 300) return;
    const text = JSON.stringify([status, responses[status]]);
    if ((count.get(text) ?? 0) < 2) return;
    let name = names.get(text);
    if (name === undefined) {
      name = nameOf(status, shared);
      names.set(text, name);
      shared[name] = responses[status];
    }
    responses[status] = { $ref: `#/components/responses/${name}` };
  });
  return Object.fromEntries(Object.entries(shared).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Returns a name that is free, such as `NotFound`. */
function nameOf(status: string, taken: Readonly<Node>): string {
  const base = (STATUS_CODES[status] ?? `Status${status}`).replaceAll(/\W/g, '');
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}${i}`;
    if (taken[name] === undefined) return name;
  }
}

function usedHeaders(parts: unknown): Node {
  const text = JSON.stringify(parts);
  return Object.fromEntries(
    Object.entries(HEADERS).filter(([name]) => text.includes(`"#/components/headers/${name}"`)),
  );
}

/** Names the types of problems, which the schema of the answer itself does not know. */
function nameProblems(schemas: Node): void {
  const { properties } = schemas['Problem'] as { properties: { type: Node } };
  properties.type['enum'] = Object.keys(PROBLEMS).map((code) => `urn:cluster-ledger:problem:${code}`);
}
