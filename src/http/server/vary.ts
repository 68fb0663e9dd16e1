import type { FastifyReply } from 'fastify';

/** Adds a header of the request to those that decide about the answer (RFC 9110, section 12.5.5). */
export function varyBy(reply: FastifyReply, name: 'accept' | 'accept-encoding' | 'origin'): void {
  const others = reply.getHeader('vary');
  reply.header('vary', others === undefined ? name : `${others}, ${name}`);
}
