import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Problem } from './problem.ts';

/** Figures are given as JSON, as a table, or as a line of JSON per item. */
const MEDIA_TYPES = ['application/json', 'text/csv', 'application/x-ndjson'] as const;

export interface Forms {
  json(): object;
  csv(): string;
  items(): readonly object[];
}

/** What the contract says of an answer that can be had in all forms. */
export function inAllForms(schema: z.ZodType) {
  const text = { schema: z.string() };
  return {
    description: 'The figures.',
    content: { 'application/json': { schema }, 'text/csv': text, 'application/x-ndjson': text },
  };
}

/** Answers in the form that the caller accepts. @throws Problem `not-acceptable` */
export function sendAccepted(request: FastifyRequest, reply: FastifyReply, forms: Forms): FastifyReply {
  reply.header('vary', 'accept');
  switch (request.accepts().type([...MEDIA_TYPES])) {
    case 'application/json':
      return reply.send(forms.json());
    case 'text/csv':
      return reply.type('text/csv; charset=utf-8; header=present').send(forms.csv());
    case 'application/x-ndjson':
      return reply.type('application/x-ndjson').send(
        forms
          .items()
          .map((item) => `${JSON.stringify(item)}\n`)
          .join(''),
      );
    default:
      throw new Problem('not-acceptable', `one of ${MEDIA_TYPES.join(', ')} can be given`);
  }
}
