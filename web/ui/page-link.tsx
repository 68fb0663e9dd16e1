import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

interface PageLinkProps {
  /** Path of the page, such as `/accounts/$accountId`. */
  readonly to: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly search?: Readonly<Record<string, string | undefined>>;
  readonly className?: string;
  readonly children: ReactNode;
}

/** A link to a page of the console. Pages register themselves, so the router does not know their paths as types. */
export function PageLink({ to, params, search, className = 'page-link', children }: PageLinkProps) {
  return (
    <Link to={to as never} params={params as never} search={(search ?? {}) as never} className={className}>
      {children}
    </Link>
  );
}
