import type { FastifyRequest } from 'fastify';
import type { Caller } from '../../domain/access/caller.ts';

/** Identifies the senders of requests. */
export interface Authenticator {
  /** @throws Problem `unauthenticated` */
  callerOf(request: FastifyRequest): Promise<Caller>;
}
