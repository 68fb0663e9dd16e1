import type { Command } from 'commander';

/** The words that may follow a command: subcommands and options, and the values of each option that has a fixed choice. */
interface Node {
  /** The words of the command, such as `period close`; empty for the program. */
  readonly path: string;
  readonly words: readonly string[];
  readonly values: readonly (readonly [flag: string, values: readonly string[]])[];
}

function nodesOf(command: Command, path: readonly string[] = []): Node[] {
  const commands = command.commands.map((inner) => inner.name());
  const options = command.options.filter(({ hidden }) => !hidden);
  const flags = options.flatMap(({ short, long }) => [long, short]).filter((flag) => flag != null);
  const values = options.flatMap(({ short, long, argChoices = [] }) =>
    argChoices.length === 0
      ? []
      : [long, short].flatMap((flag) => (flag == null ? [] : [[flag, argChoices] as const])),
  );
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  const own = { path: path.join(' '), words: [...commands, ...choices, ...flags, '--help'], values };
  return [own, ...command.commands.flatMap((inner) => nodesOf(inner, [...path, inner.name()]))];
}

/** Returns a shell script that completes the commands and options of a program, and file names. */
export function completionScript(shell: 'bash' | 'zsh' | 'fish', program: Command): string {
  const name = program.name();
  const nodes = nodesOf(program);
  switch (shell) {
    case 'bash':
      return bash(name, nodes);
    case 'zsh':
      return zsh(name, nodes);
    case 'fish':
      return fish(name, nodes);
  }
}

function functionName(name: string): string {
  return `_${name.replaceAll('-', '_')}`;
}

/** Returns the case branches that set the candidates. bash and zsh share the syntax. The values of an option come first. */
function cases(nodes: readonly Node[]): string {
  return nodes
    .flatMap(({ path, words, values }) => [
      ...values.map(([flag, choices]) => `    '${path}|${flag}') candidates='${choices.join(' ')}' ;;`),
      `    '${path}|'*) candidates='${words.join(' ')}' ;;`,
    ])
    .join('\n');
}

function pathPatterns(nodes: readonly Node[]): string[] {
  return nodes.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`]));
}

function bash(name: string, nodes: readonly Node[]): string {
  const own = functionName(name);
  return `# Completion of ${name} for bash.
${own}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' candidates='' word next
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case "$next" in
      ${pathPatterns(nodes).join('|')}) path="$next" ;;
    esac
  done
  case "$path|\${COMP_WORDS[COMP_CWORD-1]}" in
${cases(nodes)}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}
complete -o default -F ${own} ${name}
`;
}

function zsh(name: string, nodes: readonly Node[]): string {
  const own = functionName(name);
  return `#compdef ${name}
# Completion of ${name} for zsh.
${own}() {
  local path_='' candidates='' word next
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${path_:+$path_ }$word"
    case "$next" in
      ${pathPatterns(nodes).join('|')}) path_="$next" ;;
    esac
  done
  case "$path_|\${words[CURRENT-1]}" in
${cases(nodes)}
  esac
  compadd -- \${=candidates}
  [[ "$PREFIX" == -* ]] || _files
}
compdef ${own} ${name}
`;
}

function fish(name: string, nodes: readonly Node[]): string {
  const own = functionName(name);
  const branches = nodes.flatMap(({ path, words, values }) => [
    ...values.map(
      ([flag, choices]) => `    case '${path}|${flag}'\n      printf '%s\\n' ${choices.join(' ')}`,
    ),
    `    case '${path}|*'\n      printf '%s\\n' ${words.join(' ')}`,
  ]);
  return `# Completion of ${name} for fish.
function ${own}
  set -l path ''
  set -l words (commandline -opc)
  for word in $words[2..]
    set -l next (string trim -- "$path $word")
    switch "$next"
      case ${pathPatterns(nodes).join(' ')}
        set path "$next"
    end
  end
  switch "$path|$words[-1]"
${branches.join('\n')}
  end
end
complete -c ${name} -a '(${own})'
`;
}
