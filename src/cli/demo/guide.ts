import { formatInstant, type Instant, periodOf, periodWindow } from '../../domain/time.ts';
import type { Census } from './census.ts';
import { PRO_APP } from './chronicle.ts';
import { cloudEventOf } from './cloud-event.ts';
import type { Screen } from './screen.ts';
import type { Story } from './story.ts';
import type { Tally } from './traffic.ts';

/** What the guide tells about. */
export interface Demo {
  readonly url: string;
  readonly folder: string;
  readonly story: Story;
  readonly census: Census;
  readonly now: Instant;
  readonly tookMs: number;
}

/** The text that says what there is and where to look. */
export function guide(demo: Demo, screen: Screen): string {
  const { url, folder, story, census, tookMs } = demo;
  const rows = (pairs: readonly (readonly [string, string])[]) => {
    const width = Math.max(...pairs.map(([left]) => left.length));
    return pairs.map(([left, right]) => `  ${left.padEnd(width)}  ${url}${right}`);
  };
  const commands = users(demo).flatMap(({ who, curl }) => ['', `  ${who}`, ...curl.map((l) => `    ${l}`)]);
  return [
    '',
    screen.strong('cluster-ledger, the demo'),
    '',
    `  A year of ${count(census.accounts)} accounts, made up and recorded in ${(tookMs / 1_000).toFixed(1)} s:`,
    `  ${count(census.facts)} facts of ${count(census.clusters)} clusters, of which ${count(census.billedNow)} are billed now.`,
    screen.soft(`  All of it is in ${folder}, and made anew at the next start.`),
    '',
    ...rows([
      ['API, to read and to try', '/docs'],
      ['Is it ready?', '/readyz'],
      ['Accounts', '/v1/accounts'],
      ['Clusters billed now', '/v1/clusters?status=billed'],
    ]),
    '',
    screen.strong('Be one of its three users'),
    ...commands,
    '',
    screen.strong('What is open'),
    '',
    ...story.problems.flatMap(({ what, path }) => [`  ${what}`, screen.soft(`    ${url}${path}`)]),
    '',
    screen.strong('Live'),
    '',
    '  The Pro app is posting registrations, deletions and resends. Ctrl-C ends the demo.',
    '',
  ].join('\n');
}

function users({ url, story, now }: Demo): { who: string; curl: string[] }[] {
  const { cluster, believedAt } = story.wrongDeletion;
  const lastMonth = periodOf(periodWindow(periodOf(now)).from - 1);
  const billing = `${url}/v1/clusters/${cluster.clusterId}/billing`;
  const { specversion, id, source, type, ...about } = yourEvent(cluster.accountId, now);
  const head = JSON.stringify({ specversion, id, source, type });
  return [
    {
      who: 'The Pro app posts a fact; post it again, and it is known as a duplicate:',
      curl: [
        `curl -sS ${url}/v1/events -H 'content-type: application/cloudevents+json' -d '`,
        `  ${head.slice(0, -1)},`,
        `   ${JSON.stringify(about).slice(1)}'`,
      ],
    },
    {
      who: `Billing pulls ${lastMonth}, a row for each account (JSON without the header):`,
      curl: [`curl -sS '${url}/v1/usage?period=${lastMonth}' -H 'accept: text/csv'`],
    },
    {
      who: 'An auditor replays a deletion that was wrong, and what the bill was while it was believed:',
      curl: [
        `curl -sS ${url}/v1/clusters/${cluster.clusterId}/events`,
        `curl -sS '${billing}?asOf=${formatInstant(believedAt)}'`,
        `curl -sS ${billing}`,
      ],
    },
    {
      who: 'or reads everything from the beginning, page by page:',
      curl: [`curl -sS '${url}/v1/feed?after=0&limit=100'`],
    },
  ];
}

function yourEvent(accountId: string, now: Instant) {
  const fact = {
    type: 'ClusterRegistered',
    clusterId: 'my-first-cluster',
    accountId,
    name: 'my-first',
    billable: true,
    effectiveAt: now,
  } as const;
  return cloudEventOf(fact, { source: PRO_APP.source, id: 'my-first-event' });
}

/** How things are, in one line. */
export function statusLine({ billedNow, facts, position }: Census, tally: Tally, now: Instant): string {
  const { appended, duplicate, rejected, failed } = tally;
  const posted = [
    `${count(appended)} new`,
    `${count(duplicate)} resent`,
    `${count(rejected)} refused`,
    ...(failed > 0 ? [`${count(failed)} failed`] : []),
  ];
  const time = formatInstant(now).slice(11, 19);
  return `${time}Z  billed now ${count(billedNow)} | facts ${count(facts)} | position ${count(position)} | posted: ${posted.join(', ')}`;
}

function count(n: number): string {
  return n.toLocaleString('en-US');
}
