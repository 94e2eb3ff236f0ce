// Completions in the real shells: what bash's function finds for a line, what fish offers, and what zsh puts into the line
// when Tab is pressed.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMANDS } from "../../src/commands/commands.ts";
import { completionText } from "../../src/commands/completion/completion.ts";
import { PATIENCE_MS } from "../kit/patience.ts";

const COMMAND = "nm-test-connect";

let folder = "";
let status: { stop(now: boolean): void } | undefined;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "nullmodem-completion-"));
  const files = {
    "peers/my isp": "",
    "peers/lab:one": "",
    "peers/lab:two": "",
    "peers/sub/deep": "",
    "peers/old~": "",
    "some options": "",
    [`bin/${COMMAND}`]: "#!/bin/sh\n",
    "nullmodem.bash": (await completionText("bash", COMMANDS))!,
    "zsh/_nullmodem": (await completionText("zsh", COMMANDS))!,
    "nullmodem.fish": (await completionText("fish", COMMANDS))!,
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  chmodSync(join(folder, "bin", COMMAND), 0o755);
  // A link publishes its status there.
  status = Bun.listen({ unix: join(folder, "nullmodem-zz7.stats"), socket: { data: () => {} } });
});
afterAll(() => {
  status?.stop(true);
  rmSync(folder, { recursive: true, force: true });
});

/** A line, the candidates of a list, and what stands in zsh's line after Tab. ETC is the folder of the test. */
const CASES: readonly (readonly [line: string, candidates: readonly string[], completed?: string])[] = [
  ["pppd --config-dir ETC call my", ["my isp"], "pppd --config-dir ETC call my\\ isp "],
  ["pppd --config-dir ETC call lab:t", ["lab:two"], "pppd --config-dir ETC call lab:two "],
  ["pppd --config-dir ETC call lab:", ["lab:one", "lab:two"]],
  ["pon --config-dir ETC sub/d", ["sub/deep"], "pon --config-dir ETC sub/deep "],
  ["pppd peer win9", ["win95", "win98"]],
  ["pppd lcp-echo-f", ["lcp-echo-failure"], "pppd lcp-echo-failure "],
  ["pppd idle ", [], "pppd idle "],
  ["pppd 1152", ["115200"], "pppd 115200 "],
  ["nullmodem doc", ["doctor"], "nullmodem doctor "],
  ["nullmodem doctor --f", ["--far"], "nullmodem doctor --far "],
  ["nullmodem pppd lcp-echo-f", ["lcp-echo-failure"], "nullmodem pppd lcp-echo-failure "],
  ["nullmodem serve ttyS0 -- modem-r", ["modem-ring"], "nullmodem serve ttyS0 -- modem-ring "],
  ["nullmodem service cron ttyS0 crt", ["crtscts"], "nullmodem service cron ttyS0 crtscts "],
  ["nullmodem setup --flow r", ["rtscts"], "nullmodem setup --flow rtscts "],
  ["nullmodem status zz", ["zz7"], "nullmodem status zz7 "],
  ["nullmodem ctl zz", ["zz7"], "nullmodem ctl zz7 "],
  ["nullmodem ctl zz7 renegotiate ", ["lcp", "ccp", "ipcp", "ipv6cp"]],
  ["nullmodem ctl zz7 renegotiate l", ["lcp"], "nullmodem ctl zz7 renegotiate lcp "],
  ["nullmodem ctl zz7 debug of", ["off"], "nullmodem ctl zz7 debug off "],
  ["nullmodem ctl zz7 wait u", ["up"], "nullmodem ctl zz7 wait up "],
  [`pppd connect nm-test-c`, [COMMAND], `pppd connect ${COMMAND} `],
  ["pppd file ETC/so", ["ETC/some options"], "pppd file ETC/some\\ options"],
];

function missing(shell: string): string | undefined {
  return Bun.which(shell) === null ? `no ${shell}` : undefined;
}

/** Runs a script of a shell with the lines as arguments. */
async function run(argv: readonly string[]): Promise<string> {
  const env = { ...process.env, PATH: `${folder}/bin:${process.env["PATH"]}`, XDG_RUNTIME_DIR: folder, HOME: folder };
  const child = Bun.spawn([...argv, ...CASES.map(([line]) => line.replaceAll("ETC", folder))], {
    env: { ...env, LC_ALL: "C.UTF-8", TERM: "dumb" },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: PATIENCE_MS,
  });
  return (await child.stdout.text()).replaceAll(folder, "ETC");
}

/** "LINE|one,two" of each line. */
const expected = (candidates: (list: readonly string[], line: string) => string): string[] =>
  CASES.map(([line, list]) => `${line}|${candidates(list, line)}`);

// readline splits a line at blanks, and at colons where no blank is. It completes files itself (compopt -o default), and
// replaces only what follows a colon.
const BASH = `
. "$1/nullmodem.bash"; shift
COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
compopt() { [[ $2 != default ]] || files=(*); }
for line; do
  text=\${line//:/ : }
  read -ra COMP_WORDS <<<"$text"
  [[ $line != *' ' && $line != *: ]] || COMP_WORDS+=('')
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=\${#line}
  _nullmodem
  IFS=, found="\${COMPREPLY[*]}"; unset IFS
  echo "$line|$found"
done`;

describe.skipIf(missing("bash") !== undefined)(`bash${missing("bash") ? ` [skipped: ${missing("bash")}]` : ""}`, () => {
  test("finds the words of each line", async () => {
    const found = (await run(["bash", "--norc", "-c", BASH, "bash", folder])).trim().split("\n");
    const afterColon = (list: readonly string[], line: string): string =>
      line.startsWith("pppd file")
        ? ""
        : list.map((word) => (line.includes(":") ? word.replace(/.*:/, "") : word)).join(",");
    expect(found).toEqual(expected(afterColon));
  });

  test("takes quotes of the line away before it compares", async () => {
    const script = `. "${folder}/nullmodem.bash"; COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'; compopt() { :; }
      for word in "'my i" '"my i' 'my\\ i' 'lab\\:o' "'lab:o"; do
        COMP_LINE="pon --config-dir ${folder} $word" COMP_POINT=\${#COMP_LINE} COMP_CWORD=3
        COMP_WORDS=(pon --config-dir "${folder}" "$word"); _nullmodem; echo "$word|$COMPREPLY"
      done`;
    const { stdout } = Bun.spawnSync(["bash", "--norc", "-c", script]);
    expect(stdout.toString().trim().split("\n")).toEqual([
      ...["'my i|my isp", '"my i|my isp', "my\\ i|my isp"],
      ...["lab\\:o|lab:one", "'lab:o|lab:one"],
    ]);
  });
});

const FISH = `
source $argv[1]/nullmodem.fish
for line in $argv[2..]
    set -l found (complete -C $line | string replace -r '\\t.*' '')
    echo "$line|$(string join , -- $found)"
end`;

describe.skipIf(missing("fish") !== undefined)(`fish${missing("fish") ? ` [skipped: ${missing("fish")}]` : ""}`, () => {
  test(
    "offers the words of each line",
    async () => {
      const found = (await run(["fish", "--no-config", "-c", FISH, folder])).trim().split("\n");
      // fish sorts them.
      expect(found).toEqual(expected((list) => list.toSorted().join(",")));
    },
    PATIENCE_MS,
  );
});

// ^X^B prints the line; zpty waits for that.
const ZSH = `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PROMPT= fpath=($1/zsh \\$fpath); autoload -U compinit; compinit -u -D; setopt no_beep"
zpty -w z 'show() { print -r -- "LINE[$BUFFER]END" }; zle -N show; bindkey "^X^B" show; bindkey "^I" complete-word'
zpty -w z "print READ''Y"
zpty -r z out '*READY*'
shift
for line; do
  zpty -w -n z "$line"$'\\t\\x18\\x02'
  zpty -r z out '*LINE\\[*\\]END*'
  print -r -- "$line|\${\${out##*LINE\\[}%%\\]END*}"
  zpty -w -n z $'\\x15'
done
zpty -d z`;

describe.skipIf(missing("zsh") !== undefined)(`zsh${missing("zsh") ? ` [skipped: ${missing("zsh")}]` : ""}`, () => {
  test(
    "Tab completes each line",
    async () => {
      const found = (await run(["zsh", "-f", "-c", ZSH, "zsh", folder])).trimEnd().split("\n");
      const wanted = CASES.flatMap(([line, , completed]) => (completed === undefined ? [] : [`${line}|${completed}`]));
      expect(found.filter((line) => wanted.some((one) => one.split("|")[0] === line.split("|")[0]))).toEqual(wanted);
    },
    PATIENCE_MS,
  );
});
