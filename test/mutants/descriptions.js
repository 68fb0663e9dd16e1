/**
 * Leaves descriptions out: the arguments of `.meta(…)` and `.describe(…)` change no rule. test/http/openapi.test.ts compares them
 * with docs/openapi.json.
 */

import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

const DESCRIBING = new Set(['meta', 'describe']);

/** An argument of a call of a method that describes. Stryker leaves out what is below such a node. */
const descriptions = {
  shouldIgnore({ node, parent }) {
    if (parent?.type !== 'CallExpression' || !parent.arguments.includes(node)) return undefined;
    const { callee } = parent;
    const isDescribing = callee.type === 'MemberExpression' && DESCRIBING.has(callee.property.name);
    return isDescribing ? 'a description for readers' : undefined;
  },
};

export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, 'descriptions', descriptions)];
