import { FlagError } from "../std/flags.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { PROGRAM } from "./help.ts";

/** Writes what a shell needs to complete command lines, by the shell's name. */
const SCRIPTS: Readonly<Record<string, (commands: readonly Command[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** Creates the command that prints completions of the others. */
export function completionOf(commands: () => readonly Command[]): Command {
  return {
    name: "completion",
    group: "Other",
    summary: "Print what a shell needs to complete command lines",
    arguments: [{ name: "SHELL", help: "bash, zsh or fish" }],
    flags: [],
    examples: [
      "completion bash > /etc/bash_completion.d/inference-proxy",
      'completion zsh > "${fpath[1]}/_inference-proxy"',
      "completion fish > ~/.config/fish/completions/inference-proxy.fish",
    ],
    run: async ({ words: [shell = ""] }) => {
      const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
      if (script === undefined)
        throw new FlagError(
          `Cannot complete for "${shell}": there is nothing for this shell`,
          `write one of ${Object.keys(SCRIPTS).join(", ")}`,
        );
      console.log(script(commands()));
      return EXIT.ok;
    },
  };
}

/** The words that may follow a beginning of a command: `key` is followed by `list`, `create` and so on. */
function nextWords(commands: readonly Command[]): Map<string, string[]> {
  const next = new Map<string, string[]>([["", ["help"]]]);
  for (const { name } of commands) {
    const [first = "", second] = name.split(" ");
    next.set("", [...new Set([...(next.get("") ?? []), first])]);
    if (second !== undefined) next.set(first, [...(next.get(first) ?? []), second]);
  }
  return next;
}

function flagNames(command: Command): string {
  return ["--help", ...command.flags.map((flag) => flag.name)].join(" ");
}

function bashScript(commands: readonly Command[]): string {
  const words = [...nextWords(commands)].map(([first, next]) => {
    return `    "${first}") words="${next.join(" ")}" ;;`;
  });
  const flagsOf = (some: readonly Command[]) =>
    some.map((one) => `    "${one.name}") flags="${flagNames(one)}" ;;`).join("\n");
  const [pairs, singles] = [true, false].map((isPair) =>
    flagsOf(commands.filter((one) => one.name.includes(" ") === isPair)),
  );
  return `# Completes ${PROGRAM} in bash.
_inference_proxy() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words="" flags="" before="" one="\${COMP_WORDS[1]-}"
  local two="$one \${COMP_WORDS[2]-}"
  [ "$COMP_CWORD" -eq 2 ] && before="$one"
  [ "$COMP_CWORD" -gt 2 ] && before="-"
  case "$before" in
${words.join("\n")}
  esac
  case "$two" in
${pairs}
  esac
  [ -n "$flags" ] || case "$one" in
${singles}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _inference_proxy ${PROGRAM}`;
}

function zshScript(commands: readonly Command[]): string {
  const words = [...nextWords(commands)].map(([first, next]) => {
    return `    "${first}") words=(${next.join(" ")}) ;;`;
  });
  const flags = commands.map((one) => `    "${one.name}"*) flags=(${flagNames(one)}) ;;`);
  return `#compdef ${PROGRAM}
# Completes ${PROGRAM} in zsh.
_inference_proxy() {
  local -a words_given=("\${(@)words[2,-1]}") words flags
  local before=""
  (( CURRENT == 3 )) && before="\${words_given[1]}"
  (( CURRENT > 3 )) && before="-"
  case "$before" in
${words.join("\n")}
  esac
  case "\${(j: :)words_given}" in
${flags.join("\n")}
  esac
  if [[ "$PREFIX" == -* ]]; then compadd -a flags; else compadd -a words; _files; fi
}
compdef _inference_proxy ${PROGRAM}`;
}

function fishScript(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => {
    const [first = "", second] = command.name.split(" ");
    const seen = `__fish_seen_subcommand_from ${first}`;
    const own = second === undefined ? seen : `${seen}; and __fish_seen_subcommand_from ${second}`;
    const word =
      second === undefined
        ? `complete -c ${PROGRAM} -n __fish_use_subcommand -a ${first} -d ${quoted(command.summary)}`
        : `complete -c ${PROGRAM} -n '${seen}' -a ${second} -d ${quoted(command.summary)}`;
    const flags = command.flags.map((flag) => {
      const value = flag.kind === "switch" ? "" : " -r";
      return `complete -c ${PROGRAM} -n '${own}' -l ${flag.name.slice(2)}${value} -d ${quoted(flag.help)}`;
    });
    return [word, ...flags];
  });
  const groups = [...nextWords(commands).keys()].filter((first) => first !== "");
  const firsts = groups.map((first) => {
    return `complete -c ${PROGRAM} -n __fish_use_subcommand -a ${first}`;
  });
  return [`# Completes ${PROGRAM} in fish.`, ...firsts, ...lines].join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`;
}
