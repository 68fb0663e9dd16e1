import type { Command } from 'commander';

/** Returns the words that may follow each command, by the name of the command. */
function wordsByPath(command: Command, path: readonly string[] = []): [path: string, words: string[]][] {
  const commands = command.commands.map((inner) => inner.name());
  const options = command.options
    .flatMap(({ short, long }) => [long, short])
    .filter((flag) => flag !== undefined);
  const own: [string, string[]] = [
    path.join(' '),
    [...commands, ...options, '--help'].filter((word) => word !== null),
  ];
  return [own, ...command.commands.flatMap((inner) => wordsByPath(inner, [...path, inner.name()]))];
}

/** Returns a shell script that completes the commands and options of a program, and file names. */
export function completionScript(shell: 'bash' | 'zsh' | 'fish', program: Command): string {
  const name = program.name();
  const paths = wordsByPath(program);
  switch (shell) {
    case 'bash':
      return bash(name, paths);
    case 'zsh':
      return zsh(name, paths);
    case 'fish':
      return fish(name, paths);
  }
}

type Paths = ReturnType<typeof wordsByPath>;

function functionName(name: string): string {
  return `_${name.replaceAll('-', '_')}`;
}

/** Returns the case branches that set the candidates for a command. bash and zsh share the syntax. */
function cases(paths: Paths): string {
  return paths.map(([path, words]) => `    '${path}') candidates='${words.join(' ')}' ;;`).join('\n');
}

function pathPatterns(paths: Paths): string {
  return paths.flatMap(([path]) => (path === '' ? [] : [`'${path}'`])).join('|');
}

function bash(name: string, paths: Paths): string {
  const own = functionName(name);
  return `# Completion of ${name} for bash.
${own}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' candidates='' word next
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case "$next" in
      ${pathPatterns(paths)}) path="$next" ;;
    esac
  done
  case "$path" in
${cases(paths)}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}
complete -o default -F ${own} ${name}
`;
}

function zsh(name: string, paths: Paths): string {
  const own = functionName(name);
  return `#compdef ${name}
# Completion of ${name} for zsh.
${own}() {
  local path_='' candidates='' word next
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${path_:+$path_ }$word"
    case "$next" in
      ${pathPatterns(paths)}) path_="$next" ;;
    esac
  done
  case "$path_" in
${cases(paths)}
  esac
  compadd -- \${=candidates}
  [[ "$PREFIX" == -* ]] || _files
}
compdef ${own} ${name}
`;
}

function fish(name: string, paths: Paths): string {
  const own = functionName(name);
  return `# Completion of ${name} for fish.
function ${own}
  set -l path ''
  for word in (commandline -opc)[2..]
    set -l next (string trim "$path $word")
    switch "$next"
      case ${pathPatterns(paths).replaceAll('|', ' ')}
        set path "$next"
    end
  end
  switch "$path"
${paths.map(([path, words]) => `    case '${path}'\n      printf '%s\\n' ${words.join(' ')}`).join('\n')}
  end
end
complete -c ${name} -a '(${own})'
`;
}
