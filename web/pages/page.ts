import type { FunctionComponent } from 'react';
import type { Role } from '../data/caller.ts';

/** The pages, in the order of the navigation. */
export const PAGE_IDS = [
  'overview',
  'clusters',
  'cluster',
  'deletions',
  'account',
  'usage',
  'periods',
  'replay',
  'alerts',
  'validator',
  'events',
  'delivery',
  'settings',
  'sign-in',
] as const;
export type PageId = (typeof PAGE_IDS)[number];

/** A page, as the file `page.ts` of its folder defines it. */
export interface Page {
  /** Its name. The texts of the page are in `web/i18n/<language>/<id>.json`, which has at least `title`. */
  readonly id: PageId;
  /** Its paths, such as `/clusters/$clusterId`. The first without parameters is the target of the navigation. */
  readonly paths: readonly string[];
  /** Roles, besides the operator, that may open the page. */
  readonly roles: readonly Role[];
  /** Whether the navigation lists it. */
  readonly isInNavigation: boolean;
  /** Whether it is shown without the shell and without a known caller. */
  readonly isOutsideShell?: boolean;
  readonly load: () => Promise<{ readonly default: FunctionComponent }>;
}

const modules = import.meta.glob<{ readonly page: Page }>('./*/page.ts', { eager: true });

/** Every page of the console. A page is registered by its file `page.ts`. */
export const PAGES: readonly Page[] = Object.values(modules)
  .map(({ page }) => page)
  .sort((a, b) => PAGE_IDS.indexOf(a.id) - PAGE_IDS.indexOf(b.id));
