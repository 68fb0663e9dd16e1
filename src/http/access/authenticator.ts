import type { FastifyRequest } from 'fastify';
import type { Caller } from '../../domain/access/caller.ts';

/** Identifies the senders of requests. */
export interface Authenticator {
  /** The sender of every request, if it is known that requests need no credential; otherwise `undefined`. */
  readonly onlyCaller: Caller | undefined;
  /** @throws Problem `unauthenticated` */
  callerOf(request: FastifyRequest): Promise<Caller>;
}
