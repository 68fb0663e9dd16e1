import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Answer } from './ledger.ts';

/** A part of the OpenAPI document. */
export interface Schema {
  readonly [key: string]: unknown;
}
interface MediaType {
  readonly schema: Schema;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
export interface Response {
  readonly $ref?: string;
  readonly description: string;
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, MediaType>>;
  readonly 'x-other-forms'?: Readonly<Record<string, MediaType>>;
  readonly 'x-problem-codes'?: readonly string[];
}
export interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
}
export interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, MediaType>>;
  };
  readonly responses: Readonly<Record<string, Response>>;
}
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Readonly<Record<string, Response>>;
  };
}

/** An operation with its method, in upper case, and its path template. */
export interface Named {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** Headers of HTTP itself, which OpenAPI leaves to HTTP. */
const OF_HTTP = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
]);

/** The OpenAPI document, and whether answers are as it says. */
export class Contract {
  readonly document: OpenApiDocument;
  readonly operations: readonly Named[];
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<Schema, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    this.document = document;
    this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        operation,
      })),
    );
    this.#ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true });
    addFormats.default(this.#ajv);
    this.#ajv.addFormat('base64', /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
    this.#ajv.addSchema({ $id: 'contract', components: { schemas: document.components.schemas } });
  }

  /** Returns why a value does not fit a schema of the document; empty if it fits. */
  errorsOf(schema: Schema, value: unknown): readonly string[] {
    let validate = this.#validators.get(schema);
    if (validate === undefined) {
      const text = JSON.stringify(schema).replaceAll('"#/components/', '"contract#/components/');
      validate = this.#ajv.compile(JSON.parse(text));
      this.#validators.set(schema, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }: ErrorObject) =>
        `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  /** Returns the operation of a name such as `GET /v1/clusters`. */
  operation(name: string): Operation {
    const found = this.operations.find((each) => each.name === name)?.operation;
    if (found === undefined) throw new Error(`the document has no ${name}`);
    return found;
  }

  /** Returns the response of an operation for a status, with its reference resolved. */
  response(operation: Operation, status: number | string): Response | undefined {
    const response = operation.responses[status];
    const name = response?.$ref?.split('/').at(-1);
    return name === undefined ? response : this.document.components.responses[name];
  }

  /** Returns in which ways an answer differs from what the document says of its operation. */
  faultsOf(name: string, { status, headers, body, text }: Answer, method = 'GET'): readonly string[] {
    const response = this.response(this.operation(name), status);
    if (response === undefined) return [`status ${status} is not documented: ${text.slice(0, 300)}`];
    const faults: string[] = [];
    const documented = new Set(Object.keys(response.headers ?? {}).map((header) => header.toLowerCase()));
    for (const header of headers.keys()) {
      if (!documented.has(header) && !OF_HTTP.has(header))
        faults.push(`header ${header} is not documented for ${status}`);
    }
    if (method === 'HEAD' || status === 304 || response.content === undefined)
      return text === '' ? faults : [...faults, `${method} ${status} has a body`];
    const mediaType = (headers.get('content-type') ?? '').split(';')[0] as string;
    const own = response.content?.[mediaType];
    const other = response['x-other-forms']?.[mediaType];
    const media = own ?? other;
    if (media === undefined)
      return [...faults, `media type ${mediaType} is not documented for ${status}: ${text.slice(0, 300)}`];
    const isJson = mediaType.endsWith('json') && !mediaType.endsWith('x-ndjson');
    faults.push(...this.errorsOf(media.schema, isJson ? body : text));
    const lines = media.schema['contentSchema'];
    if (lines !== undefined)
      for (const line of text.split('\n').filter((each) => each !== ''))
        faults.push(...this.errorsOf(lines as Schema, JSON.parse(line)));
    if (mediaType === 'application/problem+json') {
      const code = String(body.type).replace('urn:cluster-ledger:problem:', '');
      if (response['x-problem-codes']?.includes(code) !== true)
        faults.push(`problem ${code} is not documented for ${status}: ${text.slice(0, 300)}`);
    }
    return faults;
  }
}
