import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from '@tanstack/react-router';
import i18next from 'i18next';
import { PAGES, type Page } from '../pages/page.ts';
import { NotFound } from './not-found.tsx';
import { PageFrame } from './page-frame.tsx';
import { PageFailed, PagePending } from './page-states.tsx';
import { Shell } from './shell.tsx';

const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: NotFound });
const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'shell',
  component: Shell,
  notFoundComponent: NotFound,
});

/** Returns the routes of a page, one for each of its paths. */
function routesOf(page: Page) {
  const Content = lazyRouteComponent(page.load);
  return page.paths.map((path) =>
    createRoute({
      getParentRoute: () => (page.isOutsideShell === true ? rootRoute : shellRoute),
      path,
      component: () => (
        <PageFrame page={page}>
          <Content />
        </PageFrame>
      ),
      loader: async () => {
        await Promise.all([i18next.loadNamespaces(page.id), Content.preload?.()]);
      },
      pendingComponent: PagePending,
      errorComponent: PageFailed,
    }),
  );
}

const isOutside = ({ isOutsideShell }: Page) => isOutsideShell === true;

/** Search parameters are plain texts, so that links are readable: `?status=billed&sort=-name`. */
export const router = createRouter({
  routeTree: rootRoute.addChildren([
    ...PAGES.filter(isOutside).flatMap(routesOf),
    shellRoute.addChildren([
      ...PAGES.filter((page) => !isOutside(page)).flatMap(routesOf),
      createRoute({ getParentRoute: () => shellRoute, path: '$', component: NotFound }),
    ]),
  ]),
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const chosen = Object.entries(search).filter(([, value]) => value !== undefined && value !== '');
    const text = String(new URLSearchParams(chosen.map(([name, value]) => [name, String(value)])));
    return text === '' ? '' : `?${text}`;
  },
  defaultPreload: 'intent',
  defaultPendingMs: 150,
  defaultPendingMinMs: 0,
  scrollRestoration: true,
});
