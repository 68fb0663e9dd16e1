import type { Command } from 'commander';
import type { CliContext } from './client/cli-context.ts';

/** A command of the program, or a group of commands. Its module is loaded when a command line names it. */
export interface TableEntry {
  /** The name, and whether it has options and which arguments it takes: the left column in the help of the program. */
  readonly usage: string;
  /** The right column in the help of the program. */
  readonly summary: string;
  /** Returns the function that adds the command and its subcommands to the program. */
  load(): Promise<(program: Command, cli: CliContext) => void>;
}

/** A heading in the help of the program, and the commands below it. */
interface Section {
  readonly heading: string;
  readonly commands: readonly TableEntry[];
}

/** The commands in the order of the help. */
export const COMMAND_TABLE: readonly Section[] = [
  {
    heading: 'Run:',
    commands: [
      {
        usage: 'serve',
        summary: 'run the ledger',
        load: async () => (await import('./commands/serve.ts')).addServe,
      },
      {
        usage: 'demo [options]',
        summary: 'start a ledger with a year of sample data and live traffic',
        load: async () => (await import('./commands/demo.ts')).addDemo,
      },
      {
        usage: 'config',
        summary: 'print the settings of the ledger',
        load: async () => (await import('./commands/config/subcommands.ts')).addConfig,
      },
      {
        usage: 'doctor [options]',
        summary: 'check the configuration and the ledger',
        load: async () => (await import('./commands/doctor/doctor.ts')).addDoctor,
      },
      {
        usage: 'system [options]',
        summary: 'show the version and the configuration of a running ledger',
        load: async () => (await import('./commands/system.ts')).addSystem,
      },
      {
        usage: 'overview [options]',
        summary: 'show how everything is now',
        load: async () => (await import('./commands/overview.ts')).addOverview,
      },
      {
        usage: 'clock',
        summary: 'show and confirm the time of the ledger',
        load: async () => (await import('./commands/clock/subcommands.ts')).addClock,
      },
      {
        usage: 'store',
        summary: 'back up, restore, rebuild and copy the store of a ledger',
        load: async () => (await import('./commands/store/subcommands.ts')).addStore,
      },
    ],
  },
  {
    heading: 'Bill:',
    commands: [
      {
        usage: 'usage [options] [account]',
        summary: 'show the usage of all accounts, or of one',
        load: async () => (await import('./commands/usage.ts')).addUsage,
      },
      {
        usage: 'period',
        summary: 'list, show and close billing periods',
        load: async () => (await import('./commands/period/subcommands.ts')).addPeriod,
      },
      {
        usage: 'billing',
        summary: 'choose the first period that has statements',
        load: async () => (await import('./commands/billing/subcommands.ts')).addBilling,
      },
      {
        usage: 'accounts',
        summary: 'list, show and describe accounts',
        load: async () => (await import('./commands/accounts/subcommands.ts')).addAccounts,
      },
    ],
  },
  {
    heading: 'Explain a figure:',
    commands: [
      {
        usage: 'explain [options] <account>',
        summary: 'show why the usage of an account is what it is',
        load: async () => (await import('./commands/explain.ts')).addExplain,
      },
      {
        usage: 'replay [options] <account>',
        summary: 'show each fact of an account and the usage after it',
        load: async () => (await import('./commands/replay.ts')).addReplay,
      },
      {
        usage: 'diff [options] <account>',
        summary: 'show what changed the usage of an account',
        load: async () => (await import('./commands/diff.ts')).addDiff,
      },
      {
        usage: 'what-if [options] <account>',
        summary: 'show the usage of an account if facts were different',
        load: async () => (await import('./commands/what-if.ts')).addWhatIf,
      },
    ],
  },
  {
    heading: 'Prove a figure:',
    commands: [
      {
        usage: 'evidence [options] <account> <period>',
        summary: 'save a statement with everything that proves it',
        load: async () => (await import('./commands/evidence.ts')).addEvidence,
      },
      {
        usage: 'verify [options] [file]',
        summary: 'verify an evidence file, a whole log or a store',
        load: async () => (await import('./commands/verify/verify.ts')).addVerify,
      },
      {
        usage: 'log',
        summary: 'print keys and checkpoints of the signed log',
        load: async () => (await import('./commands/log/subcommands.ts')).addLog,
      },
    ],
  },
  {
    heading: 'Verify that clusters exist:',
    commands: [
      {
        usage: 'validate [options]',
        summary: 'probe all clusters now, or try another policy',
        load: async () => (await import('./commands/validate/validate.ts')).addValidate,
      },
      {
        usage: 'validations',
        summary: 'list and show runs of the validator',
        load: async () => (await import('./commands/validations/subcommands.ts')).addValidations,
      },
      {
        usage: 'validator',
        summary: 'show the validator, and decide about an outage',
        load: async () => (await import('./commands/validator/subcommands.ts')).addValidator,
      },
      {
        usage: 'alerts',
        summary: 'list, show and acknowledge alerts',
        load: async () => (await import('./commands/alerts/subcommands.ts')).addAlerts,
      },
      {
        usage: 'undecided',
        summary: 'decide on clusters that the validator cannot decide about',
        load: async () => (await import('./commands/undecided/subcommands.ts')).addUndecided,
      },
    ],
  },
  {
    heading: 'Facts:',
    commands: [
      {
        usage: 'clusters',
        summary: 'register, list, stop, transfer and delete clusters',
        load: async () => (await import('./commands/clusters/subcommands.ts')).addClusters,
      },
      {
        usage: 'events',
        summary: 'read, post and void facts',
        load: async () => (await import('./commands/events/subcommands.ts')).addEvents,
      },
      {
        usage: 'kubefirst',
        summary: 'show what Kubefirst reports',
        load: async () => (await import('./commands/kubefirst/subcommands.ts')).addKubefirst,
      },
    ],
  },
  {
    heading: 'Send to other systems:',
    commands: [
      {
        usage: 'webhooks',
        summary: 'send every event to other systems',
        load: async () => (await import('./commands/webhooks/subcommands.ts')).addWebhooks,
      },
    ],
  },
  {
    heading: 'Give access:',
    commands: [
      {
        usage: 'keys',
        summary: 'create, list, show and revoke API keys',
        load: async () => (await import('./commands/keys/subcommands.ts')).addKeys,
      },
      {
        usage: 'whoami [options]',
        summary: 'show who the ledger takes you for',
        load: async () => (await import('./commands/whoami.ts')).addWhoami,
      },
    ],
  },
  {
    heading: 'This program:',
    commands: [
      {
        usage: 'context',
        summary: 'save and select ledgers',
        load: async () => (await import('./commands/context/subcommands.ts')).addContext,
      },
      {
        usage: 'openapi [options]',
        summary: 'print the contract of the HTTP API',
        load: async () => (await import('./commands/openapi.ts')).addOpenapi,
      },
      {
        usage: 'completion <shell>',
        summary: 'print a completion script for your shell',
        load: async () => (await import('./commands/completion/completion.ts')).addCompletion,
      },
    ],
  },
];
