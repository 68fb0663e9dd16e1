import type { Role } from '../../domain/access/caller.ts';

/**
 * How far a role may use a route. `all`: without limits. `own`: for accounts, clusters and facts of the caller only; the id in
 * the path decides, and another id answers 404. `filtered`: the handler leaves out everything that does not belong to the caller.
 */
export type Scope = 'all' | 'own' | 'filtered';

/**
 * Who may call a route. `public` needs no credential. Otherwise the roles that may call it, each with its scope. An operator may
 * call every route, so `{}` is a route for operators only.
 */
export type RouteAccess = 'public' | Readonly<Partial<Record<Exclude<Role, 'operator'>, Scope>>>;

/** Access of a route that every caller with a credential may call. */
export const EVERY_ROLE = { producer: 'all', billing: 'all', auditor: 'all', customer: 'all' } as const;

/** Returns what a role may do with a route; `undefined` if it may not call the route. */
export function scopeOf(access: RouteAccess, role: Role): Scope | undefined {
  return access === 'public' || role === 'operator' ? 'all' : access[role];
}
