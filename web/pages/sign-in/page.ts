import type { Page } from '../page.ts';

export const page: Page = {
  id: 'sign-in',
  paths: ['/sign-in'],
  roles: ['producer', 'billing', 'auditor', 'customer'],
  isInNavigation: false,
  isOutsideShell: true,
  load: () => import('./sign-in.tsx'),
};
