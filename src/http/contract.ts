import type { FastifySchema } from 'fastify';
import type { z } from 'zod';
import { ProblemOut } from '../api/problem-document.ts';

const problem = { content: { 'application/problem+json': { schema: ProblemOut } } };

/** The problem responses that every resource may answer. */
export const problemResponses = {
  '4xx': { description: 'The request is invalid or was rejected.', ...problem },
  '5xx': {
    description: 'The ledger could not process the request; the detail says what happened to the data.',
    ...problem,
  },
};

/** Body schemas that appear in the OpenAPI document but that the handler validates, event by event. */
const describedOnly = new WeakSet<object>();

export function onlyDescribed<T extends z.ZodType>(schema: T): T {
  describedOnly.add(schema);
  return schema;
}

export function isOnlyDescribed(schema: FastifySchema[keyof FastifySchema]): boolean {
  return typeof schema === 'object' && schema !== null && describedOnly.has(schema);
}
