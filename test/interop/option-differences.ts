// Compares our parser with the real pppd: what we print for an option case, and the differences on purpose with their
// reasons.

import { lengthen, type RecordedCase } from "../../scripts/record-options.ts";
import { USAGE_TEXT, VERSION_TEXT } from "../../src/options/dump.ts";
import { fakeHost } from "../kit/optionhost.ts";
import { dryRun } from "../kit/optionrun.ts";
import type { Version } from "../kit/lab/image.ts";
import type { Printed } from "../kit/real-options.ts";

export interface Difference {
  readonly why: string;
  readonly cases: RegExp;
  /** The text that we print in place of the real pppd's. */
  readonly ours: (real: Printed, one: RecordedCase) => Printed;
}

const DUMP = "pppd options in effect:\n";
const FROM = "\t\t# (from command line)\n";
const PLAIN = `${DUMP}dump${FROM}dryrun${FROM}/dev/ttyS0${FROM}`;

const refused = (text: string): Printed => ({ stdout: "", stderr: `pppd: ${text}\n`, code: 2 });
/** Another text in what is printed. */
const instead =
  (real: string | RegExp, ours: string) =>
  (printed: Printed): Printed => ({
    ...printed,
    stdout: printed.stdout.replace(real, ours),
    stderr: printed.stderr.replace(real, ours),
  });
/** The option's last word as its value in the dump. */
const valueOf = ({ args }: RecordedCase): string => args.at(-1) ?? "";

/** Options for which 2.4.9 accepts any number, with the smallest and largest number that work. */
const LIMITS: ReadonlyMap<string, readonly [min: number, max?: number]> = new Map<
  string,
  readonly [min: number, max?: number]
>([
  ...["lcp", "pap", "chap", "ipcp", "ipv6cp"].map((protocol) => [`${protocol}-restart`, [1]] as const),
  ...["connect-delay", "datarate", "lcp-echo-interval", "pap-timeout", "chap-interval", "chap-timeout"].map(
    (name) => [name, [0]] as const,
  ),
  ["mru", [128, 16384]],
  ["mrru", [128, 65535]],
]);

export const DIFFERENCES: readonly Difference[] = [
  {
    why: "--version and usage name our own version",
    cases: /^--version( before an error)?$/,
    ours: (real) => ({ ...real, stdout: VERSION_TEXT }),
  },
  { why: "-v is --version, as in 2.5", cases: /^-v$/, ours: () => ({ stdout: VERSION_TEXT, stderr: "", code: 0 }) },
  {
    why: "show-options is an option, as in 2.5",
    cases: /^show-options$/,
    ours: () => ({ stdout: "<options>", stderr: "", code: 0 }),
  },
  {
    why: "ms-lanman is accepted (a build option of pppd that Debian leaves out)",
    cases: /^(user: )?ms-lanman$/,
    ours: () => ({ stdout: `${PLAIN}ms-lanman${FROM}`, stderr: "", code: 0 }),
  },
  {
    why: "a number nobody can work with is moved to the nearest limit, with a warning",
    cases: new RegExp(`^(user: )?(${[...LIMITS.keys()].join("|")}) -?\\d+$`),
    ours(real, one) {
      const [name = "", value] = [one.args.at(-2), Number(valueOf(one)) | 0];
      const [min, max = Infinity] = LIMITS.get(name)!;
      const nearest = Math.min(Math.max(value, min), max);
      if (nearest === value) return real;
      const wrong = max === Infinity ? `below ${min}` : `not between ${min} and ${max}`;
      const warning = `${name} value ${value} is ${wrong}: using ${nearest}\n`;
      return { ...real, stdout: warning + real.stdout.replace(` ${value}\t`, ` ${nearest}\t`) };
    },
  },
  {
    why: "mo-timeout N is N seconds (2.4.9 adds one)",
    cases: /^(user: )?mo-timeout (3|70000|2147483647)$/,
    ours: (real, one) => instead(/mo-timeout -?\d+/, `mo-timeout ${valueOf(one)}`)(real),
  },
  {
    why: "a number is dumped as the 32 bits it has",
    cases: /^idle 2147483648$/,
    ours: instead("-18446744071562067968", "-2147483648"),
  },
  { why: "an empty domain is dumped as such", cases: /^domain ""$/, ours: instead("<NULL>", "") },
  {
    why: "filters and mo-direction are dumped with their value",
    cases: /^(user: )?(pass-filter "?(icmp|")|active-filter|mo-direction)/,
    ours(real, one) {
      const isDirection = one.args.at(-2) === "mo-direction" && !/^(in|out|max)$/.test(valueOf(one));
      return instead("xxx # [don't know how to print value]", isDirection ? "sum" : valueOf(one))(real);
    },
  },
  {
    why: "+ua is dumped with its file (2.4.9 prints a stray pointer)",
    cases: /^(user: )?\+ua ("?\/home|good|no newline)/,
    ours: (real, one) => instead(/\+ua .*?\t/, `+ua ${valueOf(one)}\t`)(real),
  },
  {
    why: "an endpoint is dumped as it was written",
    cases: /^endpoint "/,
    ours: (real, one) => instead(/endpoint .*?\t/, `endpoint ${valueOf(one)}\t`)(real),
  },
  {
    why: "a speed that no UART has is refused (2.4.9 keeps 32 bits of it)",
    cases: /^speed of /,
    ours: (_, one) => refused(`speed ${valueOf(one)} not supported`),
  },
  {
    why: "the lab's guest has the folder of pppd's plugins",
    cases: /^plugin ""$/,
    ours: instead("cannot read file data: Is a directory", "cannot open shared object file: No such file or directory"),
  },
  {
    why: "IPX is gone: its options say so and do nothing",
    cases: /^(user: )?(\+?ipx|ipxcp-\S+|ipx-(network|node|router-name|routing))( .*)?$/,
    ours: (_, { args }) => ({
      stdout: `the ${args[3]} option has no effect any more\n${PLAIN}`,
      stderr: "",
      code: 0,
    }),
  },
  {
    why: "ipv6cp-use-persistent looks for an address when IPv6 is there",
    cases: /^(user: )?ipv6cp-use-persistent$/,
    ours: instead("ipv6cp: no persistent id can be found\n", ""),
  },
  {
    why: "demand does not need link-local addresses",
    cases: /^(user: )?demand$/,
    ours: () => refused("connect script is required for demand-dialling"),
  },
  {
    why: "each value of a repeated option is dumped with its own source",
    cases: /^allow-ip twice$/,
    ours: instead(`10.0.0.3${FROM}`, "10.0.0.3\t\t# (from /etc/ppp/options)\n"),
  },
  {
    why: "a dumped value is not cut at 255 characters",
    cases: /^name "xxx|^file: word of (10|15)\d\d$/,
    ours: (real, one) => {
      const text = one.files?.["options"]?.split(" ")[1]?.slice(0, 1023) ?? valueOf(one).slice(0, 255);
      return instead(new RegExp(`${text[0]}{200,}`), text)(real);
    },
  },
  {
    why: "the bytes of a word that is not UTF-8 are dumped in hex",
    cases: /^file: high bytes$/,
    ours: instead(/caf.*\t\t/, "caf\\xc3\\xa9\\xe9\\xff\t\t"),
  },
  {
    why: "a command without quotes runs to the end of its line (the HOWTO's winserver example)",
    cases: /^file: howto connect unquoted$/,
    ours: () => ({
      stdout: `${PLAIN}connect chat -v -f /etc/ppp/scripts/winserver.chat\t\t# (from /etc/ppp/options)\n`,
      stderr: "",
      code: 0,
    }),
  },
  {
    why: "letters that are UTF-8 are shown as letters",
    cases: /^file: curly quotes around a word$/,
    ours: instead(/ipparam .*\t\t/, `ipparam ${latin("\u201ckit\u201d")}\t\t`),
  },
  {
    why: "a byte order mark is skipped",
    cases: /^file: byte order mark/,
    ours: () => ({
      stdout: `${DUMP}idle 5\t\t# (from /etc/ppp/options)\n${PLAIN.slice(DUMP.length)}`,
      stderr: "",
      code: 0,
    }),
  },
  {
    why: "curly quotes around a command are quotes",
    cases: /^file: curly quotes$/,
    ours: () => ({
      stdout:
        "the curly quotes around the connect command are taken as quotes (from /etc/ppp/options)\n" +
        `${DUMP}idle 5\t\t# (from /etc/ppp/options)\n${PLAIN.slice(DUMP.length)}` +
        "connect /bin/true -v x\t\t# (from /etc/ppp/options)\n",
      stderr: "",
      code: 0,
    }),
  },
  {
    why: "typographic minus signs are hyphens (the HOWTO's PDF); here the words then mean PAP, for which there is no secret",
    cases: /^file: howto unicode minus$/,
    ours: () => ({
      stdout: "",
      stderr:
        "pppd: The remote system is required to authenticate itself\n" +
        "pppd: but I couldn't find any suitable secret (password) for it to use to do so.\n",
      code: 1,
    }),
  },
];

/** UTF-8 bytes, one char each, as in the recording. */
function latin(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function byteArguments(args: readonly string[]): string[] {
  return args.map((word) => Buffer.from(word, "latin1").toString("utf8"));
}

/**
 * The output of 2.4.9 without three things that we leave out: the break in a dumped line of more than 255 characters,
 * lines of a dump without a name (options that are not in force), and the empty line after some errors.
 */
export function real(one: RecordedCase): Printed {
  return {
    stdout: lengthen(one.stdout, USAGE_TEXT)
      .replace(/^(.{200,})\n\t\t#/gm, "$1\t\t#")
      .replace(/^\t\t# .*\n/gm, ""),
    stderr: lengthen(one.stderr, USAGE_TEXT).replace(/\n\n/g, "\n"),
    code: one.code,
  };
}

export function ours(one: RecordedCase): Printed {
  const files: Record<string, string> = { "/home/zaphod/ua": "zaphod\ngargle\n" };
  if (!one.bare) files["/etc/ppp/options"] = "";
  for (const [path, text] of Object.entries(one.files ?? {})) {
    files[path.startsWith("/") ? path : `/etc/ppp/${path}`] = text;
  }
  const host = fakeHost({
    files,
    user: one.user === true,
    changes: { hasDefaultRoute: () => one.route === true },
  });
  const { stdout, stderr, code } = dryRun(byteArguments(one.args), host);
  return { stdout: latin(stdout), stderr: latin(stderr), code };
}

export const differenceOf = (one: RecordedCase): Difference | undefined =>
  DIFFERENCES.find(({ cases: is }) => is.test(one.name));

/** A part of the output that is not compared, and the reason. */
interface Uncompared {
  readonly text: RegExp;
  readonly why: string;
}

/** Lines of a dump that differ on purpose, whatever is around them. */
const NOT_DUMPED_ALIKE: readonly Uncompared[] = [
  { text: /^(nomppe|[+-]mppe|require-mppe)(-40|-128)?\t.*\n/gm, why: "2.4.9 dumps a bit that is set, not who won" },
];

const NOT_DUMPED_ALIKE_2_5_2: readonly Uncompared[] = [
  ...NOT_DUMPED_ALIKE,
  {
    text: /\t\t# \(from (?!command line\))[^]*?\)(?=\n)/g,
    why: "2.5.2 forgets the names of files, and prints what is there",
  },
  { text: /^([+-]|refuse-|require-)(chap|mschap)(\t.*)?\n/gm, why: "2.5.2 does not dump them" },
  { text: /^(ca|capath|cert|key|crl|crl-dir) .*\n/gm, why: "2.5.2 has them in another order" },
  { text: /(?<=^(un)?set .*)\r.*/gm, why: "2.5.2 forgets the names of files here too" },
];

/** Options that 2.5.2 treats differently from 2.4.9 and ours. */
export const OTHERWISE_IN_2_5_2: readonly { readonly words: RegExp; readonly why: string }[] = [
  { words: /ipx/, why: "2.5.2 does not know them; ours warns, so that old files keep working" },
  { words: /^deflate (8|.*,8|8,.*)$/, why: "2.5.2 refuses a window of 8; ours makes it 9, as 2.4.9 does" },
  { words: /^plugin /, why: "the folder of plugins has the version in its name" },
  { words: /^ifname .{16}/, why: "2.5.2 cuts a name that is too long" },
];

/** The part of a run that is compared when several options are combined. {@link DIFFERENCES} are for single options. */
export function comparable(printed: Printed, version: Version): Printed {
  const { stdout, stderr, code } = printed;
  let text = stdout;
  for (const uncompared of version === "2.5.2" ? NOT_DUMPED_ALIKE_2_5_2 : NOT_DUMPED_ALIKE)
    text = text.replace(uncompared.text, "");
  // For a repeated option, 2.4.9 keeps only the last source.
  const lines = text.split("\n");
  const names = lines.map((line) => line.split(/[ \t]/)[0]!);
  const sourceless = lines.map((line, at) => {
    const isRepeated = names.indexOf(names[at]!) !== names.lastIndexOf(names[at]!) || /^(un)?set /.test(line);
    return isRepeated ? line.replace(/\t\t# .*/, "") : line;
  });
  return { stdout: sourceless.join("\n"), stderr, code };
}
