// Makes pppd's files from the answers: options.TTY of a machine that waits, peers/NAME of one that calls, the secrets,
// and the file with which an init starts pppd. Opens no file. Text is one char a byte.

import { encoded } from "../../bytes/text.ts";
import { ttyName } from "../../options/parse.ts";
import { presetNamed } from "../../options/presets.ts";
import { type Place, serviceText, type Wanted } from "../service-texts.ts";
import type { End } from "./marked-part.ts";
import type { Answers, Authentication } from "./setup-answers.ts";

/** A file as it ought to become. */
export interface WantedFile {
  readonly path: string;
  /** "part": lines for a part of their own, in a file that may have others. "own": a part in a file that must be ours. */
  readonly kind: "part" | "own" | "whole";
  readonly lines: readonly string[];
  readonly end?: End;
  /** For a new file. */
  readonly mode: number;
}

const SECRET = 0o600;
const PLAIN = 0o644;
const PROGRAM = 0o755;

/** What tells the parts of this setup from those of other ports and of the other role: "serve ttyS1". */
export function partName({ role, port }: Pick<Answers, "role" | "port">): string {
  return `${role} ${encoded(ttyName(port))}`;
}

/** Parts that an earlier setup of this port may have left and that are not to count any more. */
export function staleParts(answers: Answers, etc: string): { path: string; name: string }[] {
  const name = partName(answers);
  const options = { path: `${etc}/options.${ttyName(answers.port)}`, name: partName({ ...answers, role: "serve" }) };
  const secrets = ["pap-secrets", "chap-secrets"].map((file) => ({ path: `${etc}/${file}`, name }));
  return answers.role === "join" ? [options, ...secrets] : secrets;
}

/** The words after `pppd` that start the link by hand. */
export function startWords(answers: Answers): string[] {
  return answers.role === "serve" ? [answers.port] : ["call", answers.name];
}

/** All files, in the order in which they are written: pppd is started by the last one. Throws RangeError. */
export function wantedFiles(answers: Answers, etc: string, place: Place): WantedFile[] {
  const options: WantedFile =
    answers.role === "serve"
      ? { path: `${etc}/options.${ttyName(answers.port)}`, kind: "part", lines: serveOptions(answers), mode: PLAIN }
      : { path: `${etc}/peers/${answers.name}`, kind: "own", lines: joinOptions(answers), mode: PLAIN };
  return [...secretFiles(answers, etc), options, ...serviceFiles(answers, place)].map((file) => ({
    ...file,
    lines: file.lines.map((line) => encoded(line)),
  }));
}

function serveOptions(answers: Answers): string[] {
  const { addresses, authentication, share } = answers;
  const greeting = presetOf(answers)?.greeting;
  return [
    String(answers.speed),
    "lock",
    ...lineOptions(answers),
    ...(greeting === undefined ? [] : ["autodetect"]),
    ...(answers.preset === undefined ? ["silent"] : []),
    ...authOptions(authentication),
    ...(addresses === undefined ? [] : [addresses]),
    ...{ no: [], lan: ["proxyarp", "ktune"], internet: ["share"] }[share],
    "persist",
    "maxfail 0",
  ];
}

function joinOptions(answers: Answers): string[] {
  const { addresses, authentication } = answers;
  return [
    optionWord(answers.port),
    String(answers.speed),
    "lock",
    ...lineOptions(answers),
    ...connectOption(answers),
    "noauth",
    ...(authentication.kind === "password" ? [`user ${optionWord(authentication.user)}`] : []),
    ...(addresses === undefined ? ["noipdefault"] : [addresses]),
    ...(answers.defaultRoute ? ["defaultroute", "usepeerdns"] : []),
    ...(answers.service === "none" ? [] : ["persist", "maxfail 0", "holdoff 5"]),
  ];
}

function lineOptions({ preset, flow }: Answers): string[] {
  const control = flow === undefined ? [] : [flow === "rtscts" ? "crtscts" : "nocrtscts"];
  return preset === undefined ? ["local", ...control] : [`peer ${preset}`, ...control];
}

function authOptions(authentication: Authentication): string[] {
  switch (authentication.kind) {
    case "none":
      return ["noauth"];
    case "password":
      return ["auth"];
    case "login":
      // The system has no password in a form that CHAP could use.
      return ["auth", "login", "require-pap"];
    default:
      return authentication satisfies never;
  }
}

function connectOption(answers: Answers): string[] {
  const { number, apn } = answers;
  switch (presetOf(answers)?.greeting) {
    case "windows":
      return [`connect ${optionWord("chat -v TIMEOUT 10 '' 'CLIENT\\c'")}`];
    case "modem": {
      const context = apn === undefined ? "" : ` '${`AT+CGDCONT=1,"IP","${apn}"`}' OK`;
      const script = `ABORT ERROR ABORT BUSY ABORT 'NO CARRIER' TIMEOUT 60 '' ATZ OK${context} 'ATD${number}' CONNECT '\\c'`;
      return [`connect ${optionWord(`chat -v ${script}`)}`];
    }
    default:
      return [];
  }
}

/**
 * In both files, so that either method of authentication finds the password. pppd starts a server only if the first line
 * that could be of a caller has an address. So the line of a server goes before all others, and that of a client, which
 * has no address and so lets nobody in, behind them.
 */
function secretFiles({ authentication, role }: Answers, etc: string): WantedFile[] {
  const file = (name: string, line: string): WantedFile => ({
    path: `${etc}/${name}`,
    kind: "part",
    lines: ["# client server secret addresses", line],
    end: role === "serve" ? "first" : "last",
    mode: SECRET,
  });
  if (authentication.kind === "none") return [];
  if (authentication.kind === "login") return [file("pap-secrets", '* * "" *')];
  const allowed = role === "serve" ? " *" : "";
  const line = `${optionWord(authentication.user)} * ${optionWord(authentication.password)}${allowed}`;
  return [file("pap-secrets", line), file("chap-secrets", line)];
}

function serviceFiles(answers: Answers, place: Place): WantedFile[] {
  const kind = answers.service;
  if (kind === "none") return [];
  const text = serviceText(kind, serviceWanted(answers), place);
  const path = /^# (\/[^\s;]+)/m.exec(text)?.[1] ?? "";
  const shared = kind === "inittab" || (kind === "cron" && !place.cronFolder);
  if (!shared) return [{ path, kind: "whole", lines: text.split("\n"), mode: kind === "openrc" ? PROGRAM : PLAIN }];
  const lines = text.trimEnd().split("\n").slice(1);
  return [{ path, kind: "part", lines, mode: kind === "cron" ? SECRET : PLAIN }];
}

/** The pppd that an init starts. Its other options are in the files. */
export function serviceWanted(answers: Answers): Wanted {
  const { role, port, name } = answers;
  return role === "serve" ? { device: port, options: [] } : { device: undefined, options: ["call", name] };
}

function presetOf({ preset }: Answers) {
  return preset === undefined ? undefined : presetNamed(preset);
}

/** A word of an options or secrets file, in quotes where it needs them. Throws RangeError. */
function optionWord(text: string): string {
  if (/[\0-\x1f\x7f]/.test(text)) throw new RangeError(`${JSON.stringify(text)} has a control character`);
  if (/^[\w./:@%+=,-]+$/.test(text)) return text;
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
