/** The parts of the OpenAPI document that routes declare: answers, problems, examples. */
import type { FastifySchema } from 'fastify';
import { z } from 'zod';
import { ProblemOut } from '../api/problem-document.ts';
import type { HeaderName } from './openapi/headers.ts';
import { PROBLEMS, type ProblemCode } from './server/problem.ts';

/** Examples of a body by name. */
export type Examples = Readonly<Record<string, { readonly summary?: string; readonly value: unknown }>>;

interface MediaType<T extends z.ZodType> {
  readonly schema: T;
  readonly examples?: Examples;
}

/** A response as a route declares it. The contract adds the headers that every answer may have. */
export interface Answer<T extends z.ZodType> {
  readonly description: string;
  readonly content: Readonly<Record<'application/json', MediaType<T>>>;
  /** Headers that answers always have, besides those of every answer. */
  readonly with: readonly HeaderName[];
  /** Further media types, which `Accept` chooses. */
  readonly otherForms?: Readonly<Record<string, z.ZodType>>;
  /** Whether the answer is sent piece by piece, and so has no ETag. */
  readonly isStreamed?: boolean;
}

/** Declares an answer in JSON. */
export function answer<T extends z.ZodType>(
  description: string,
  schema: T,
  {
    headers = [],
    examples,
    otherForms,
    isStreamed = false,
  }: {
    readonly headers?: readonly HeaderName[];
    readonly examples?: Examples;
    readonly otherForms?: Readonly<Record<string, z.ZodType>>;
    readonly isStreamed?: boolean;
  } = {},
): Answer<T> {
  const media = { schema, ...(examples !== undefined && { examples }) };
  return {
    description,
    with: headers,
    content: { 'application/json': media },
    ...(otherForms !== undefined && { otherForms }),
    isStreamed,
  };
}

/** A response with a problem document, and the codes that it can have. */
export interface ProblemAnswer {
  readonly description: string;
  readonly content: { readonly 'application/problem+json': { readonly schema: typeof ProblemOut } };
  readonly codes: readonly ProblemCode[];
}

/**
 * Declares the problems of an operation, besides those that the contract adds: of every operation, of a body, of a read, of a
 * write.
 * @returns the responses by status.
 */
export function problems(...codes: readonly ProblemCode[]): { readonly '4xx': ProblemAnswer } {
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code][0]);
  return Object.fromEntries(
    Array.from(byStatus, ([status, those]) => [
      status,
      {
        description: those.map((code) => `${PROBLEMS[code][1]} (\`${code}\`).`).join(' '),
        content: { 'application/problem+json': { schema: ProblemOut } },
        codes: those,
      },
    ]),
  ) as unknown as { readonly '4xx': ProblemAnswer };
}

/** The problems of an operation that has none of its own. */
export const problemResponses = problems();

/** The problems of every operation that records a fact. */
export const FACT_PROBLEMS = [
  'event-id-reused',
  'registration-conflict',
  'cluster-deleted',
  'transfer-needs-operator',
  'correction-needs-operator',
  'effective-implausible',
  'effective-in-future',
  'backdated-too-far',
  'cluster-halted',
] as const satisfies readonly ProblemCode[];

/**
 * Returns the schema of a text whose lines are JSON.
 * @param line the schema of a line, which must have an id.
 */
export function jsonLines(line: z.ZodType): z.ZodType<string> {
  return z.string().meta({
    contentMediaType: 'application/x-ndjson',
    contentSchema: { $ref: `#/components/schemas/${line.meta()?.id}` },
  });
}

/** Body schemas that appear in the OpenAPI document but that the handler validates, event by event. */
const describedOnly = new WeakSet<object>();

export function onlyDescribed<T extends z.ZodType>(schema: T): T {
  describedOnly.add(schema);
  return schema;
}

export function isOnlyDescribed(schema: FastifySchema[keyof FastifySchema]): boolean {
  return typeof schema === 'object' && schema !== null && describedOnly.has(schema);
}
