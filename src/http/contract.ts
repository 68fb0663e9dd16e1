import type { FastifySchema } from 'fastify';
import type { z } from 'zod';
import { ProblemOut } from '../api/problem-document.ts';

const problem = { content: { 'application/problem+json': { schema: ProblemOut } } };

/** What any resource may answer instead. */
export const problemResponses = {
  '4xx': { description: 'The request was not accepted.', ...problem },
  '5xx': {
    description: 'The ledger could not do it; the problem says what happened to the data.',
    ...problem,
  },
};

/** Body schemas that are in the contract but judged by the handler itself, event by event. */
const describedOnly = new WeakSet<object>();

export function onlyDescribed<T extends z.ZodType>(schema: T): T {
  describedOnly.add(schema);
  return schema;
}

export function isOnlyDescribed(schema: FastifySchema[keyof FastifySchema]): boolean {
  return typeof schema === 'object' && schema !== null && describedOnly.has(schema);
}
