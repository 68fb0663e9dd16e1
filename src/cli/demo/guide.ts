import { formatInstant, type Instant, periodOf, periodWindow } from '../../domain/time.ts';
import { cloudEventOf } from './cloud-event.ts';
import type { Counts } from './counts.ts';
import type { SampleHistory } from './sample-history.ts';
import type { Screen } from './screen.ts';
import { PRO_APP } from './timeline.ts';
import type { Tally } from './traffic.ts';

/** What the guide tells about. */
export interface DemoFacts {
  readonly url: string;
  readonly folder: string;
  readonly history: SampleHistory;
  readonly counts: Counts;
  readonly now: Instant;
  readonly tookMs: number;
}

/** An account with a bit of everything. */
const ACCOUNT = 'harbor-pay';

/** The text that says what there is and where to look. */
export function guide({ url, folder, history, counts, now, tookMs }: DemoFacts, screen: Screen): string {
  const { cluster, believedAt } = history.wrongDeletion;
  const lastMonth = periodOf(periodWindow(periodOf(now)).from - 1);
  const itsCluster = `${url}/v1/clusters/${cluster.clusterId}`;
  const problems = history.problems.flatMap(({ what, path }) => [`  ${what}`, `    ${url}${path}`]);
  return `
${screen.strong('cluster-ledger demo')}

  A year of ${count(counts.accounts)} made-up accounts, recorded in ${(tookMs / 1_000).toFixed(1)} s:
  ${count(counts.facts)} facts about ${count(counts.clusters)} clusters, of which ${count(counts.billedNow)} are billed now.
  It is kept in ${folder}, and made anew at every start.

  API docs             ${url}/docs
  Ready?               ${url}/readyz
  Accounts             ${url}/v1/accounts
  Clusters billed now  ${url}/v1/clusters?status=billed
  What is wrong        ${url}/v1/alerts

${screen.strong('Three users, and a command for each')}

  The Pro app posts a fact. Paste it twice: the second time it is a duplicate.

${examplePost(url, cluster.accountId, now)}

  Billing pulls the usage of ${lastMonth}, a row per account (without the header: JSON).

    curl -sS '${url}/v1/usage?period=${lastMonth}' -H 'accept: text/csv'

  An auditor replays a deletion that was wrong: all facts of the cluster, then what was billed
  as known before the correction, and as known now.

    curl -sS '${itsCluster}/events'
    curl -sS '${itsCluster}/billing?asOf=${formatInstant(believedAt)}'
    curl -sS '${itsCluster}/billing'

  And every fact of the year in the order of recording, page by page.

    curl -sS '${url}/v1/feed?after=0&limit=100'

${screen.strong('The same on the command line')}

  Why ${ACCOUNT} is charged what it is for ${lastMonth}, down to the facts; then its statement as evidence,
  and the proof of it by code that shares nothing with the ledger.

    npx cluster-ledger explain ${ACCOUNT} --period ${lastMonth} --url ${url}
    npx cluster-ledger evidence ${ACCOUNT} ${lastMonth} -o ${ACCOUNT}.json --url ${url}
    npx cluster-ledger log key --url ${url} > log.key
    npx cluster-ledger verify ${ACCOUNT}.json --key log.key

${screen.strong('Open problems')}

${problems.join('\n')}

${screen.strong('Live traffic')}

  The Pro app is posting registrations, deletions and resends. Ctrl-C ends the demo.
`;
}

/** A registration of the reader's own, ready to be pasted. */
function examplePost(url: string, accountId: string, now: Instant): string {
  const clusterId = 'my-first-cluster';
  const fact = {
    type: 'ClusterRegistered',
    clusterId,
    accountId,
    name: 'my-first',
    billable: true,
    effectiveAt: now,
  } as const;
  const { type, subject, time, data } = cloudEventOf(fact, { source: PRO_APP.source, id: '' });
  return `    curl -sS '${url}/v1/events' -H 'content-type: application/cloudevents+json' -d '{
      "specversion": "1.0", "id": "my-first-event", "source": "${PRO_APP.source}",
      "type": "${type}",
      "subject": "${subject}", "time": "${time}",
      "data": ${JSON.stringify(data)} }'`;
}

/** How things are, in one line that fits a narrow terminal. */
export function statusLine({ billedNow, facts, position }: Counts, tally: Tally, now: Instant): string {
  const { appended, duplicate, rejected, failed } = tally;
  const figures = [
    `billed now ${count(billedNow)}`,
    `facts ${count(facts)}`,
    `position ${count(position)}`,
    `posted ${count(appended + duplicate + rejected)}`,
    `refused ${count(rejected)}`,
    ...(failed > 0 ? [`failed ${count(failed)}`] : []),
  ];
  return `${formatInstant(now).slice(11, 19)}Z  ${figures.join(', ')}`;
}

function count(n: number): string {
  return n.toLocaleString('en-US');
}
