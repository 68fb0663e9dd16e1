import { factToCloudEvent } from '../../domain/facts/cloud-event.ts';
import { formatInstant, type Instant, periodOf, periodWindow } from '../../domain/time.ts';
import type { Counts } from './counts.ts';
import type { SampleHistory } from './sample-history.ts';
import type { Screen } from './screen.ts';
import { PRO_APP } from './timeline.ts';
import type { Tally } from './traffic.ts';

/** The contents of the demo that the guide describes. */
export interface DemoFacts {
  readonly url: string;
  /** Whether requests need an API key. */
  readonly needsKey: boolean;
  readonly folder: string;
  readonly history: SampleHistory;
  readonly counts: Counts;
  readonly now: Instant;
  readonly tookMs: number;
}

/** An account with facts of most types. */
const ACCOUNT = 'harbor-pay';

/** The demo listens on an address that other machines can use. */
const NEEDS_KEY = `
  Requests need the API key in LEDGER_BOOTSTRAP_KEY. Sign in to the console with it, add
  -H "authorization: Bearer $LEDGER_BOOTSTRAP_KEY" to curl, and set LEDGER_TOKEN to it for npx cluster-ledger.
`;

/** Returns the text that describes the demo and what to look at. */
export function guide(
  { url, needsKey, folder, history, counts, now, tookMs }: DemoFacts,
  screen: Screen,
): string {
  const { cluster, believedAt } = history.wrongDeletion;
  const lastMonth = periodOf(periodWindow(periodOf(now)).from - 1);
  const itsCluster = `${url}/v1/clusters/${cluster.clusterId}`;
  const problems = history.problems.flatMap(({ description, path }) => [
    `  ${description}`,
    `    ${url}${path}`,
  ]);
  return `
${screen.strong('cluster-ledger demo')}

  A year of sample data for ${count(counts.accounts)} accounts, recorded in ${(tookMs / 1_000).toFixed(1)} s:
  ${count(counts.facts)} facts about ${count(counts.clusters)} clusters. ${count(counts.billedNow)} clusters are billed now.
  The data is in ${folder}. Every start of the demo replaces it.

  Console              ${url}
  API docs             ${url}/docs
  Readiness            ${url}/readyz
  Accounts             ${url}/v1/accounts
  Clusters billed now  ${url}/v1/clusters?status=billed
  Closed months        ${url}/v1/periods
  Alerts               ${url}/v1/alerts
${needsKey ? NEEDS_KEY : ''}
${screen.strong('Three users, and commands for each')}

  The Pro app posts a fact. If you paste the command twice, the second answer is "duplicate".

${examplePost(url, cluster.accountId, now)}

  Billing reads the usage of ${lastMonth} as CSV: a row per account, and one per cluster type. Without the header, it is JSON.

    curl -sS '${url}/v1/usage?period=${lastMonth}' -H 'accept: text/csv'

  An auditor looks at a wrong deletion: the facts of the cluster, then the billed intervals as known
  before the correction, and as known now.

    curl -sS '${itsCluster}/events'
    curl -sS '${itsCluster}/billing?asOf=${formatInstant(believedAt)}'
    curl -sS '${itsCluster}/billing'

  The auditor reads every fact of the year, in the order of recording, page by page.

    curl -sS '${url}/v1/feed?after=0&limit=100'

${screen.strong('The same on the command line')}

  Explain what ${ACCOUNT} is charged for ${lastMonth}, down to the facts. Save its statement as evidence.
  Verify the evidence with an independent implementation of the billing rules.

    npx cluster-ledger explain ${ACCOUNT} --period ${lastMonth} --url ${url}
    npx cluster-ledger evidence ${ACCOUNT} ${lastMonth} -o ${ACCOUNT}.json --url ${url}
    npx cluster-ledger log key --url ${url} > log.key
    npx cluster-ledger verify ${ACCOUNT}.json --key log.key

${screen.strong('Open problems')}

${problems.join('\n')}

${screen.strong('Live traffic')}

  The Pro app now posts registrations, deletions and repeated events. The validator asks every sample cluster,
  now and every five minutes. A webhook sends each event to a billing service, which fails one time in ten.
  Ctrl-C ends the demo.
`;
}

/** Returns a command that posts a registration, ready to paste. */
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
  const { type, subject, time, data } = factToCloudEvent(fact, { source: PRO_APP.source, id: '' });
  return `    curl -sS '${url}/v1/events' -H 'content-type: application/cloudevents+json' -d '{
      "specversion": "1.0", "id": "my-first-event", "source": "${PRO_APP.source}",
      "type": "${type}",
      "subject": "${subject}", "time": "${time}",
      "data": ${JSON.stringify(data)} }'`;
}

/** Returns the state of the demo in one line that fits a narrow terminal. */
export function statusLine({ billedNow, facts, position }: Counts, tally: Tally, now: Instant): string {
  const { appended, duplicate, rejected, failed } = tally;
  const figures = [
    `billed now ${count(billedNow)}`,
    `facts ${count(facts)}`,
    `position ${count(position)}`,
    `posted ${count(appended + duplicate + rejected)}`,
    `rejected ${count(rejected)}`,
    ...(failed > 0 ? [`failed ${count(failed)}`] : []),
  ];
  return `${formatInstant(now).slice(11, 19)}Z  ${figures.join(', ')}`;
}

function count(n: number): string {
  return n.toLocaleString('en-US');
}
