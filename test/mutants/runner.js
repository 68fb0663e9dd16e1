/**
 * The Vitest runner of Stryker, with what it lacks for Vitest 5:
 *
 * - Vitest 5 joins the titles of suites and tests with ' > ', and the runner filters by titles that are joined with a space. No test
 *   would run, and every mutant would survive.
 * - A module that cannot be imported has no tests, so a mutant that breaks it at once would survive as well.
 */

import { commonTokens, declareFactoryPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';
import { strykerPlugins as vitestPlugins } from '@stryker-mutator/vitest-runner';

export { strykerValidationSchema } from '@stryker-mutator/vitest-runner';

const [vitestPlugin] = vitestPlugins;

function createRunner(injector) {
  const runner = injector.injectFunction(vitestPlugin.factory);
  const init = runner.init.bind(runner);
  const mutantRun = runner.mutantRun.bind(runner);
  runner.init = async () => {
    await init();
    const { ctx } = runner;
    const start = ctx.start.bind(ctx);
    ctx.start = (files) => {
      for (const { config } of ctx.projects)
        if (config.testNamePattern !== undefined)
          config.testNamePattern = new RegExp(config.testNamePattern.source.replaceAll(' ', '(?: | > )'));
      return start(files);
    };
  };
  runner.mutantRun = async (options) => {
    const result = await mutantRun(options);
    if (result.status !== 'survived') return result;
    const broken = runner.ctx.state.getFiles().find(({ result: ofFile }) => ofFile?.state === 'fail');
    if (broken !== undefined) {
      const failureMessage = broken.result.errors?.[0]?.message ?? 'a file of tests failed';
      return { status: 'killed', killedBy: [broken.name], failureMessage, nrOfTests: 1 };
    }
    if (result.nrOfTests === 0) return { status: 'error', errorMessage: 'no test was run' };
    return result;
  };
  return runner;
}
createRunner.inject = tokens(commonTokens.injector);

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'vitest-5', createRunner)];
