import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { usageError } from '../../terminal/cli-error.ts';
import { readInput } from '../../terminal/input.ts';

/** A policy read from a file. */
export interface PolicyFile {
  readonly policy: unknown;
  /** Returns the file, the line and the path of a value, for messages. @param pointer RFC 6901 pointer into the policy. */
  locate(pointer: string): string;
}

/** Reads a policy from a YAML file; JSON is a subset of YAML. @throws CliError if the file cannot be read or is not valid YAML. */
export async function readPolicy(file: string): Promise<PolicyFile> {
  const name = file === '-' ? 'stdin' : file;
  const lines = new LineCounter();
  const document = parsedOrRefused(name, await readInput(file), lines);
  const [yamlError] = document.errors;
  if (yamlError !== undefined)
    throw usageError(`${name} is not valid YAML: ${yamlError.message.split('\n')[0]?.replace(/:$/, '')}`);
  let policy: unknown;
  try {
    policy = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw usageError(`cannot read ${name}: ${(error as Error).message}`);
  }
  return {
    policy,
    locate: (pointer) => {
      const steps = stepsOf(pointer);
      const written = steps.join('.').replaceAll(/\.(\d+)(?=\.|$)/g, '[$1]');
      return [`${name}${lineOf(steps)}`, written].filter((part) => part !== '').join(': ');
    },
  };

  /** Returns `:line` of the innermost value on a path that exists in the file. */
  function lineOf(steps: readonly string[]): string {
    for (let depth = steps.length; depth > 0; depth--) {
      const node = document.getIn(steps.slice(0, depth).map(asKey), true);
      if (isNode(node) && node.range) return `:${lines.linePos(node.range[0]).line}`;
    }
    return '';
  }
}

/** @throws CliError if the parser, which calls itself for each level, runs out of its stack */
function parsedOrRefused(name: string, text: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseDocument(text, { uniqueKeys: true, strict: true, lineCounter, logLevel: 'error' });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw usageError(`${name} is not valid YAML: it is nested too deeply`);
  }
}

function stepsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function asKey(step: string): string | number {
  return /^\d+$/.test(step) ? Number(step) : step;
}
