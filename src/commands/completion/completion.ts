// nullmodem completion SHELL: prints what makes a shell complete the words of our programs.

import { defineCommand } from "citty";
import { consola } from "consola";
import { print } from "../../os/log/print.ts";
import type { CommandTable } from "../command-program.ts";
import { bashCompletion } from "./bash-completion.ts";
import { fishCompletion } from "./fish-completion.ts";
import { knownApplets, knownCommands, type Programs } from "./known-words.ts";
import { zshCompletion } from "./zsh-completion.ts";
import { usageText } from "../usage-text.ts";

const SHELLS: Readonly<Record<string, (programs: Programs) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

const command = defineCommand({
  meta: { name: "nullmodem completion", description: "Print what makes a shell complete the words of these programs" },
  args: {
    shell: {
      type: "positional",
      description: "the shell",
      valueHint: Object.keys(SHELLS).join("|"),
      required: true,
    },
  },
});

const AFTER = `It is for all programs of nullmodem: options of pppd, names of peers and presets,
ports, interfaces. install.sh puts it where the shells look for it. For one user:
  d=~/.local/share/bash-completion/completions; mkdir -p $d
  nullmodem completion bash >$d/nullmodem
  nullmodem completion zsh >~/.zfunc/_nullmodem      # in a folder of $fpath
  nullmodem completion fish >~/.config/fish/completions/nullmodem.fish
Bash and fish find it by the name of the program: for pppd make a file pppd (or
pppd.fish) with the same text.
`;

/** The completion for a shell. Undefined: there is none. */
export async function completionText(shell: string, commands: CommandTable): Promise<string | undefined> {
  if (!Object.hasOwn(SHELLS, shell)) return undefined;
  return SHELLS[shell]?.({ applets: knownApplets(), commands: await knownCommands(commands) });
}

/** Runs completion with the words after its name. Returns the exit code. */
export async function completion(argv: readonly string[], commands: CommandTable): Promise<number> {
  consola.level = 3;
  const [shell = "", ...more] = argv;
  const usage = await usageText(command, AFTER);
  if (argv.includes("--help") || argv.includes("-h")) {
    print(usage);
    return 0;
  }
  const text = more.length > 0 ? undefined : await completionText(shell, commands);
  if (text === undefined) {
    consola.error(`which shell: ${Object.keys(SHELLS).join(", ")}?`);
    process.stderr.write(usage);
    return 2;
  }
  print(text);
  return 0;
}
completion.definition = command;
