import { Command } from 'commander';
import type { CliContext } from './client/cli-context.ts';
import { addAccountsList } from './commands/accounts/list.ts';
import { addAccountsSet } from './commands/accounts/set.ts';
import { addAccountsShow } from './commands/accounts/show.ts';
import { addAlertsAcknowledge } from './commands/alerts/acknowledge.ts';
import { addAlertsList } from './commands/alerts/list.ts';
import { addAlertsShow } from './commands/alerts/show.ts';
import { addBillingBegin } from './commands/billing/begin.ts';
import { addBillingShow } from './commands/billing/show.ts';
import { addClockShow } from './commands/clock/show.ts';
import { addClockTrust } from './commands/clock/trust.ts';
import { addClustersAllDeletions } from './commands/clusters/all-deletions.ts';
import { addClustersCancelDeletion } from './commands/clusters/cancel-deletion.ts';
import { addClustersDelete } from './commands/clusters/delete.ts';
import { addClustersDeletion } from './commands/clusters/deletion.ts';
import { addClustersDeletions } from './commands/clusters/deletions.ts';
import { addClustersEvents } from './commands/clusters/events.ts';
import { addClustersList } from './commands/clusters/list.ts';
import { addClustersRegister } from './commands/clusters/register.ts';
import { addClustersShow } from './commands/clusters/show.ts';
import { addClustersResume, addClustersStop } from './commands/clusters/stop-and-resume.ts';
import { addClustersTransfer } from './commands/clusters/transfer.ts';
import { addCompletion } from './commands/completion/completion.ts';
import { addConfigPrint } from './commands/config/print.ts';
import { addContextList } from './commands/context/list.ts';
import { addContextRemove } from './commands/context/remove.ts';
import { addContextSet } from './commands/context/set.ts';
import { addContextUse } from './commands/context/use.ts';
import { addDemo } from './commands/demo.ts';
import { addDiff } from './commands/diff.ts';
import { addDoctor } from './commands/doctor/doctor.ts';
import { addEventsAppend } from './commands/events/append.ts';
import { addEventsRejected } from './commands/events/rejected.ts';
import { addEventsRetry } from './commands/events/retry.ts';
import { addEventsShow } from './commands/events/show.ts';
import { addEventsTail } from './commands/events/tail.ts';
import { addEventsVoid } from './commands/events/void.ts';
import { addEvidence } from './commands/evidence.ts';
import { addExplain } from './commands/explain.ts';
import { addKeysCreate } from './commands/keys/create.ts';
import { addKeysList } from './commands/keys/list.ts';
import { addKeysRevoke } from './commands/keys/revoke.ts';
import { addKeysShow } from './commands/keys/show.ts';
import { addKubefirstShow } from './commands/kubefirst/show.ts';
import { addKubefirstUsage } from './commands/kubefirst/usage.ts';
import { addLogAcceptLoss } from './commands/log/accept-loss.ts';
import { addLogCheckpoint } from './commands/log/checkpoint.ts';
import { addLogKey } from './commands/log/key.ts';
import { addLogConsistency, addLogProof } from './commands/log/proof.ts';
import { addOpenapi } from './commands/openapi.ts';
import { addOverview } from './commands/overview.ts';
import { addPeriodClose } from './commands/period/close.ts';
import { addPeriodList } from './commands/period/list.ts';
import { addPeriodPending } from './commands/period/pending.ts';
import { addPeriodShow } from './commands/period/show.ts';
import { addPeriodStatements } from './commands/period/statements.ts';
import { addReplay } from './commands/replay.ts';
import { addServe } from './commands/serve.ts';
import { addStoreBackup } from './commands/store/backup.ts';
import { addStoreCopy } from './commands/store/copy.ts';
import { addStoreRebuild } from './commands/store/rebuild.ts';
import { addStoreRestore } from './commands/store/restore.ts';
import { addSystem } from './commands/system.ts';
import { addUndecidedLeave, addUndecidedStop } from './commands/undecided/decide.ts';
import { addUndecidedList } from './commands/undecided/list.ts';
import { addUsage } from './commands/usage.ts';
import { addValidate } from './commands/validate/validate.ts';
import { addValidationsList } from './commands/validations/list.ts';
import { addValidationsShow } from './commands/validations/show.ts';
import { addValidatorDecide } from './commands/validator/decide.ts';
import { addValidatorShow } from './commands/validator/show.ts';
import { addVerify } from './commands/verify/verify.ts';
import { addWebhooksChange } from './commands/webhooks/change.ts';
import { addWebhooksCreate } from './commands/webhooks/create.ts';
import { addWebhooksDelete } from './commands/webhooks/delete.ts';
import { addWebhooksDeliveries } from './commands/webhooks/deliveries.ts';
import { addWebhooksDisable } from './commands/webhooks/disable.ts';
import { addWebhooksEnable } from './commands/webhooks/enable.ts';
import { addWebhooksList } from './commands/webhooks/list.ts';
import { addWebhooksRedeliver } from './commands/webhooks/redeliver.ts';
import { addWebhooksReplay } from './commands/webhooks/replay.ts';
import { addWebhooksRotateSecret } from './commands/webhooks/rotate-secret.ts';
import { addWebhooksShow } from './commands/webhooks/show.ts';
import { addWebhooksTest } from './commands/webhooks/test.ts';
import { addWhatIf } from './commands/what-if.ts';
import { addWhoami } from './commands/whoami.ts';
import { chosenFormat } from './terminal/options.ts';
import { printError } from './terminal/output.ts';

/** Builds the program with all its commands. @param version of this release. */
export function buildProgram(cli: CliContext, version: string): Command {
  const program = new Command('cluster-ledger')
    .description('Decides what customers are charged for their Kubernetes clusters, and proves it.')
    .version(version, '--version', 'print the version')
    .exitOverride()
    .enablePositionalOptions()
    .configureOutput({ outputError: (text) => printError(text.replace(/^error: /, '').trimEnd()) })
    .addHelpText('after', AFTER_HELP);

  program.commandsGroup('Run:');
  addServe(program);
  addDemo(program);
  addGroup(program, cli, {
    name: 'config',
    summary: 'print the settings of the ledger',
    description: 'Prints the settings that a ledger started here would use.',
    commands: [addConfigPrint],
  });
  addDoctor(program, cli);
  addSystem(program, cli);
  addOverview(program, cli);

  addGroup(program, cli, {
    name: 'clock',
    summary: 'show and confirm the time of the ledger',
    description:
      'Shows whether the ledger trusts its clock, and confirms the time after the alert clock-untrusted.',
    commands: [addClockShow, addClockTrust],
  });

  addGroup(program, cli, {
    name: 'store',
    summary: 'back up, restore, rebuild and copy the store of a ledger',
    description:
      'Backs up the store of a ledger, restores a backup, computes all answers from the log again, and copies a ledger to another store.',
    commands: [addStoreBackup, addStoreRestore, addStoreRebuild, addStoreCopy],
  });

  program.commandsGroup('Bill:');
  addUsage(program, cli);
  addGroup(program, cli, {
    name: 'period',
    summary: 'list, show and close billing periods',
    description: 'Lists, shows and closes billing periods, which are UTC months, and shows their statements.',
    commands: [addPeriodList, addPeriodShow, addPeriodClose, addPeriodStatements, addPeriodPending],
  });
  addGroup(program, cli, {
    name: 'billing',
    summary: 'choose the first period that has statements',
    description:
      'Chooses and shows the first period that has statements, for a platform that is older than its ledger.',
    commands: [addBillingBegin, addBillingShow],
  });
  addGroup(program, cli, {
    name: 'accounts',
    summary: 'list, show and describe accounts',
    description: 'Lists and shows accounts with their limits, and sets their profiles.',
    commands: [addAccountsList, addAccountsShow, addAccountsSet],
  });

  program.commandsGroup('Explain a figure:');
  for (const add of [addExplain, addReplay, addDiff, addWhatIf]) add(program, cli);

  program.commandsGroup('Prove a figure:');
  addEvidence(program, cli);
  addVerify(program, cli);
  addGroup(program, cli, {
    name: 'log',
    summary: 'print keys and checkpoints of the signed log',
    description:
      'Prints the keys and checkpoints of the signed log, changes its keys, and accepts a loss of events.',
    commands: [addLogKey, addLogCheckpoint, addLogProof, addLogConsistency, addLogAcceptLoss],
  });

  program.commandsGroup('Verify that clusters exist:');
  addValidate(program, cli);
  addGroup(program, cli, {
    name: 'validations',
    summary: 'list and show runs of the validator',
    description: 'Lists the runs of the validator, and shows what one found and recorded.',
    commands: [addValidationsList, addValidationsShow],
  });
  addGroup(program, cli, {
    name: 'validator',
    summary: 'show the validator, and decide about an outage',
    description: 'Shows the state of the validator, and decides whether an outage of many clusters is real.',
    commands: [addValidatorShow, addValidatorDecide],
  });
  addGroup(program, cli, {
    name: 'alerts',
    summary: 'list, show and acknowledge alerts',
    description: 'Lists, shows and acknowledges alerts: problems that need attention.',
    commands: [addAlertsList, addAlertsShow, addAlertsAcknowledge],
  });
  addGroup(program, cli, {
    name: 'undecided',
    summary: 'decide on clusters that the validator cannot decide about',
    description:
      'Lists the clusters that only a person can decide about, and stops or leaves many of them at once.',
    commands: [addUndecidedList, addUndecidedStop, addUndecidedLeave],
  });

  program.commandsGroup('Facts:');
  addGroup(program, cli, {
    name: 'clusters',
    summary: 'register, list, stop, transfer and delete clusters',
    description:
      'Lists clusters, shows the state, billed intervals and facts of one, and registers, stops, resumes, transfers and deletes clusters.',
    commands: [
      addClustersList,
      addClustersShow,
      addClustersEvents,
      addClustersRegister,
      addClustersStop,
      addClustersResume,
      addClustersTransfer,
      addClustersDelete,
      addClustersDeletions,
      addClustersDeletion,
      addClustersAllDeletions,
      addClustersCancelDeletion,
    ],
  });
  addGroup(program, cli, {
    name: 'events',
    summary: 'read, post and void facts',
    description:
      'Reads recorded facts, posts new ones as CloudEvents, voids wrong ones, and shows rejected events.',
    commands: [
      addEventsTail,
      addEventsShow,
      addEventsAppend,
      addEventsVoid,
      addEventsRejected,
      addEventsRetry,
    ],
  });
  addGroup(program, cli, {
    name: 'kubefirst',
    summary: 'show what Kubefirst reports',
    description: 'Shows what Kubefirst reports, and the usage in the form that its billing page reads.',
    commands: [addKubefirstShow, addKubefirstUsage],
  });

  program.commandsGroup('Send to other systems:');
  addGroup(program, cli, {
    name: 'webhooks',
    summary: 'send every event to other systems',
    description: 'Manages webhooks, which send events to other systems, and shows their deliveries.',
    commands: [
      addWebhooksList,
      addWebhooksShow,
      addWebhooksCreate,
      addWebhooksChange,
      addWebhooksTest,
      addWebhooksDeliveries,
      addWebhooksRedeliver,
      addWebhooksReplay,
      addWebhooksEnable,
      addWebhooksDisable,
      addWebhooksRotateSecret,
      addWebhooksDelete,
    ],
  });

  program.commandsGroup('Give access:');
  addGroup(program, cli, {
    name: 'keys',
    summary: 'create, list, show and revoke API keys',
    description: 'Creates, lists, shows and revokes the API keys of a ledger.',
    commands: [addKeysCreate, addKeysList, addKeysShow, addKeysRevoke],
  });
  addWhoami(program, cli);

  program.commandsGroup('This program:');
  addGroup(program, cli, {
    name: 'context',
    summary: 'save and select ledgers',
    description: 'Saves the URLs and tokens of ledgers under names, and selects one.',
    commands: [addContextSet, addContextUse, addContextList, addContextRemove],
  });
  addOpenapi(program, cli);
  addCompletion(program, cli);

  program.hook('preAction', (_, command) => {
    cli.out.format = chosenFormat(command);
  });
  addErrorHints(program);
  refuseRepetitions(program);
  return program;
}

interface Group {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly commands: readonly ((parent: Command, cli: CliContext) => void)[];
}

/** Adds a command that only has subcommands. */
function addGroup(program: Command, cli: CliContext, { name, summary, description, commands }: Group): void {
  const group = program.command(name).summary(summary).description(description);
  for (const add of commands) add(group, cli);
}

const AFTER_HELP = `
Which ledger? The first of: --url, --context or --store; LEDGER_URL; LEDGER_CONTEXT; the current context;
http://127.0.0.1:8400.

Output: tables for people; -o json, yaml, csv, name or wide. Data goes to stdout, messages go to stderr.

Exit codes: 0 success, 1 failure, 2 invalid arguments, 3 a check failed, 4 ledger or store unreachable.`;

/** Returns the full name of a command, such as `cluster-ledger period close`. */
export function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** Returns a command and all its subcommands. */
export function commandsUnder(command: Command): Command[] {
  return [command, ...command.commands.flatMap(commandsUnder)];
}

/** Makes every usage error also print the allowed commands or options. */
function addErrorHints(program: Command): void {
  for (const command of commandsUnder(program)) addErrorHint(command);
}

function addErrorHint(command: Command): void {
  const name = nameOf(command);
  const commands = command.commands.map((each) => each.name()).join(', ');
  const options = command.options.map(({ long }) => long).join(', ');
  const allowed =
    commands === ''
      ? `  usage: ${name} ${command.usage()}${options === '' ? '' : `\n  options: ${options}`}`
      : `  commands of ${name}: ${commands}`;
  command.showHelpAfterError(`${allowed}\n  more: ${name} --help`);
}

/** Refuses an option that was given twice, unless it collects values: the last one would silently win. */
function refuseRepetitions(program: Command): void {
  for (const command of commandsUnder(program)) {
    for (const option of command.options) {
      if (!option.required || option.description.includes('repeatable')) continue;
      let count = 0;
      command.on(`option:${option.name()}`, () => {
        count++;
        if (count > 1) command.error(`error: option '${option.flags}' was given twice`);
      });
    }
  }
}
