// What the real pppd did, as the lab recorded it, done again: with ours on one side and the real one on the other, and with
// ours on both. The same exit codes, and the same messages in the same order.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { closeMachines, machinesMissing, tunMissing } from "../kit/machine.ts";
import { missing } from "../kit/lab.ts";
import { type Laplink, LinkPool, type Run, type Side } from "../kit/end.ts";
import { type Part, readTranscript, type Transcript } from "../kit/transcript.ts";

/** Tests wait for their turn on a link, and that counts. */
setDefaultTimeout(400_000);
const skip = machinesMissing() ?? tunMissing() ?? missing();

/** Something done, or waited for, while both run. */
type Step =
  | "up"
  | "cut"
  | "mend"
  | "hang up the client's line"
  | { readonly on: Side; readonly run: string }
  | { readonly on: Side; readonly says: string; readonly nth?: number };

interface Case {
  /** The transcript's. */
  readonly name: string;
  readonly steps?: readonly Step[];
  /** Prepares the server. */
  readonly setup?: string;
  /** The two insist, a hundred times each: six will do, and spare the guest's console. */
  readonly insisting?: true;
  /**
   * Both close at once: a side that hears of it before it has said so says that, and exits with 16 rather than 10. And
   * what else was on its way then is said or not: the kernel has LCP and CCP wait at two descriptors.
   */
  readonly crossing?: true;
  /** What is killed cannot clean up after itself. */
  readonly killed?: Side;
}

const kill = (on: Side, signal: string): Step => ({ on, run: `kill -${signal} $(head -n1 /var/run/ppp0.pid)` });
const TERM_CLIENT = kill("client", "TERM");
const TERM_SERVER = kill("server", "TERM");
const PING: Step = { on: "client", run: "ping -c 3 -i 0.2 192.168.0.1" };
const DEFLATE_AGAIN: Step = { on: "client", says: "Deflate (15) compression enabled", nth: 1 };
const CONNECTED: Step = { on: "client", says: "Connect: " };
const IN_SCRIPT: Step = { on: "client", run: "until ps ax | grep -q ' [s]leep 20$'; do sleep 0.05; done" };
const TERM_EARLY: Step = { on: "client", run: "kill -TERM $(cat /var/lock/LCK..ttyS0)" };

/** Debian's common-auth turns an unknown user into a wrong password, so as not to tell. The lab's PAM has but this. */
const PAM_UNIX = "for kind in auth account session; do echo $kind required pam_unix.so; done >/etc/pam.d/ppp";

const CASES: readonly Case[] = [
  { name: "howto-pap", steps: ["up", PING, TERM_CLIENT] },
  { name: "howto-pap-debug", steps: ["up", PING, TERM_SERVER] },
  { name: "howto-chat", steps: ["up", TERM_CLIENT] },
  { name: "pap-wrong-password" },
  { name: "pap-unknown-user", setup: PAM_UNIX },
  { name: "pap-no-secret" },
  { name: "pap-refused" },
  { name: "pap-secrets-file", steps: ["up", TERM_CLIENT] },
  { name: "pap-address-denied", insisting: true },
  { name: "vj-off-lcp-off", steps: ["up", TERM_CLIENT] },
  { name: "chap-md5", steps: ["up", TERM_CLIENT] },
  { name: "chap-md5-wrong" },
  { name: "mschap-v1", steps: ["up", TERM_CLIENT] },
  { name: "mschap-v2-wrong" },
  { name: "mschap-v2-mppe", steps: ["up", TERM_CLIENT] },
  { name: "mutual-chap", steps: ["up", TERM_CLIENT] },
  { name: "mppe-refused", crossing: true },
  { name: "ccp-deflate", steps: ["up", TERM_CLIENT] },
  { name: "ccp-off", steps: ["up", TERM_CLIENT] },
  { name: "ipv6", steps: ["up", TERM_CLIENT] },
  { name: "mru-mtu", steps: ["up", TERM_CLIENT] },
  { name: "ipcp-no-addresses", crossing: true },
  { name: "ipcp-defaultroute", steps: ["up", TERM_CLIENT] },
  { name: "ipcp-mismatch", insisting: true, crossing: true },
  {
    name: "usr-signals",
    steps: ["up", kill("client", "USR1"), kill("client", "USR2"), DEFLATE_AGAIN, kill("client", "INT")],
  },
  { name: "end-sighup", steps: ["up", kill("client", "HUP")] },
  { name: "end-echo-failure", steps: ["up", "cut", { on: "client", says: "Modem hangup" }, TERM_SERVER] },
  { name: "end-echo-failure-mended", steps: ["up", "cut", { on: "client", says: "No response" }, "mend"] },
  { name: "end-idle" },
  { name: "end-maxconnect" },
  { name: "end-kill-peer", steps: ["up", kill("client", "KILL"), TERM_SERVER], killed: "client" },
  { name: "end-hangup", steps: ["up", "hang up the client's line", { on: "client", says: "terminated" }, TERM_SERVER] },
  { name: "end-no-peer" },
  { name: "end-pty-fails" },
  { name: "end-loopback" },
  { name: "pty-script" },
  { name: "end-silent", steps: [CONNECTED, TERM_CLIENT] },
  { name: "end-passive", steps: [{ on: "client", says: "timeout sending" }, TERM_CLIENT] },
  { name: "end-persist" },
  { name: "connect-fails" },
  { name: "connect-chat-timeout" },
  { name: "connect-chat-abort" },
  { name: "connect-not-found" },
  { name: "connect-killed", steps: [IN_SCRIPT, TERM_EARLY] },
  { name: "init-fails" },
  { name: "welcome-fails" },
  { name: "disconnect-welcome", steps: ["up", TERM_CLIENT] },
  { name: "err-secrets-readable", setup: "chmod 644 /etc/ppp/pap-secrets", steps: ["up", TERM_CLIENT] },
  { name: "err-auth-no-secrets" },
  { name: "err-auth-chap-no-secrets" },
  { name: "err-bad-address" },
  { name: "err-bad-host" },
  { name: "err-bad-number" },
  { name: "err-bad-speed" },
  { name: "err-call" },
  { name: "err-mppe-no-mschap" },
  { name: "err-lock-held" },
  { name: "err-lock-stale" },
  { name: "err-missing-argument" },
  { name: "err-no-options" },
  { name: "err-no-tty-stdin" },
  { name: "err-not-a-tty" },
  { name: "err-not-root" },
  { name: "err-options-file" },
  { name: "err-range" },
  { name: "err-unknown-option" },
  { name: "err-unknown-option-file" },
];

/** Where what is said now is not as recorded, in lines made {@link VARIABLE}-free; what matches is left out on both sides. */
const DIFFERENCES: readonly { readonly text: RegExp; readonly because: string }[] = [
  { text: /^using channel .*\n/gm, because: "a channel is the kernel driver's" },
  { text: /(?<=^Connection terminated\.\n)Connect time .*\nSent .*\n/gm, because: "said for IPv6 as well" },
  {
    text: /^rcvd \[LCP TermReq id=N "User request"\]\nsent \[LCP TermAck id=N\]\n(?!LCP|Conn)/gm,
    because: "left in the guest's port by the case recorded before",
  },
  {
    text: /^(rcvd \[(CCP|IPCP|IPV6CP) .*\n)+(Discarded non-LCP packet when LCP not open\n)+/gm,
    because: "too late for us: control characters must be escaped again by then",
  },
  { text: /^MPPE disabled\n/gm, because: "at the end of a link that is no news" },
  { text: /(?<=TermReq id=N "|by peer \()(MPPE disabled|User request)/gm, because: "2.4.9 forgets who asked for it" },
  { text: /^Terminating on signal 15\n(?=Child process )/gm, because: "2.4.9 says this only once there is a link" },
  { text: /^speed 12345 not supported\n/gm, because: "any speed the driver takes will do" },
  { text: /(?<=^pppd version) .*|(?<=^pppd ).+(?= started by)/gm, because: "we are not 2.4.9" },
  { text: / \(line 975\)$/gm, because: "the line of a C file" },
  { text: /(?<=^sh:) 1:/gm, because: "the guest's shell is busybox's, ours Debian's" },
  { text: /^pppd: pppd must be run as root or with CAP_NET_ADMIN\n/gm, because: "2.5 says this, and we both" },
  {
    text: /^Waiting for 1 child processes\.\.\.\n  script (exit 1|cat|pppd notty .*), pid N\n/gm,
    because: "a program that has lost its line may be gone by then",
  },
  {
    text: /^cat: .*: Input\/output error\n/gm,
    because: "the guest's cat is busybox's, and it may say so a line earlier",
  },
  { text: /^chat waited for .*\n/gm, because: "the real chat leaves it at its exit code" },
  { text: /^Heard .*\n/gm, because: "what was heard instead" },
  {
    text: /^(The secret of "|The system refused |We said to be "|The peer wanted us |No line of \/|There is no \/|A line is: |Line \d).*\n/gm,
    because: "which line of the secrets file",
  },
  { text: /^(Process \d+ is |\/dev\/\S+ is not a serial port).*\n/gm, because: "what is wrong with the port" },
  { text: /^mru value \d+ is not between .*\n/gm, because: "2.4.9 changes the value without a word" },
];

/** What changes from run to run. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  [/magic([ =])0x[0-9a-f]+/g, "magic$1N"],
  [/id=0x[0-9a-f]+/g, "id=N"],
  [/\bpid \d+/g, "pid N"],
  // A guest's host name is its name in the lab.
  [/name = "nm\d+-\d+"/g, 'name = "server"'],
  [/(?<=\[CHAP (?:Challenge|Response) id=N )<[0-9a-f]+>/g, "<N>"],
  [/(?<=\[CHAP Failure id=N "E=691 R=1 C=)[0-9a-f]+/g, "N"],
  [/(?<=\[CHAP Success id=N "S=)[0-9A-F]{40}/g, "N"],
  [/fe80::(?!0000)[0-9a-f:]{19}/g, "fe80::N"],
  [/^Connect time \d+\.\d minutes/gm, "Connect time N minutes"],
  [/^Sent \d+ bytes, received \d+ bytes/gm, "Sent N bytes, received N bytes"],
];

function normal(lines: readonly string[]): string[] {
  let text = lines.map((line) => `${line}\n`).join("");
  for (const [pattern, to] of VARIABLE) text = text.replace(pattern, to);
  for (const difference of DIFFERENCES) text = text.replace(difference.text, "");
  return text.split("\n").slice(0, -1);
}

const PACKET = /^(sent|rcvd) \[/;

const CROSSED =
  /^LCP terminated by peer \(No network protocols running\)|^Modem hangup|\[LCP Term(Req|Ack) |^rcvd \[IPCP TermAck |^rcvd \[CCP ConfRej |^sent \[CCP ConfReq id=N\]|\[CCP Conf(Req|Rej) id=N <mppe /;

/** Messages in their order; packets as a set, for which comes first is the line's affair, and some are sent again. */
function digest(status: number, output: readonly string[], crossing = false): unknown {
  const lines = normal(output).filter((line) => !crossing || !CROSSED.test(line));
  return {
    status: crossing && status === 16 ? 10 : status,
    messages: lines.filter((line) => !PACKET.test(line)),
    packets: [...new Set(lines.filter((line) => PACKET.test(line)))].sort(),
  };
}

/** How weighty syslog was told each message is: "local2.notice pppd" and so on. PAM's own words are PAM's affair. */
function priorities(syslog: readonly string[]): Record<string, string> {
  const weights: Record<string, string> = {};
  for (const line of syslog) {
    const [, priority, text] = /^(\S+ \w+)\[PID\]: (.*)$/.exec(line) ?? [];
    if (priority === undefined || priority.startsWith("authpriv")) continue;
    for (const message of normal([text!])) if (!PACKET.test(message)) weights[message] = priority;
  }
  return weights;
}

/** A second instead of three for each wait of LCP, where the command is a pppd's alone and says nothing of it. */
function hasty(command: string, insisting = false): string {
  if (!/^pppd (?!.*(;|lcp-restart)).* -detach/.test(command)) return command;
  return `${command} lcp-restart 1${insisting ? " ipcp-max-failure 6" : ""}`;
}

const SIDES = ["server", "client"] as const;

async function replay(
  link: Laplink,
  { steps = [], setup, insisting, crossing, killed }: Case,
  transcript: Transcript,
): Promise<void> {
  const runs: Partial<Record<Side, Run>> = {};
  const must = (side: Side): Run => {
    const run = runs[side];
    if (run === undefined) throw new Error(`nothing runs on the ${side}`);
    return run;
  };
  try {
    for (const side of SIDES) await link[side].install(transcript[side]?.files ?? {});
    if (setup !== undefined) await link.server.run(setup);
    const { server, client } = transcript;
    if (server !== undefined) {
      runs.server = await link.server.start(hasty(server.command, insisting));
      if (server.command.includes(" connect "))
        await link.server.run("until grep -q 'expect (CLIENT)' /var/log/messages; do sleep 0.05; done");
      else if (server.command.startsWith("pppd")) await runs.server.waitFor("Connect: ");
    }
    if (client !== undefined) runs.client = await link.client.start(hasty(client.command, insisting));
    for (const step of steps) {
      if (step === "up") await Promise.all(SIDES.map((side) => must(side).waitFor(/^remote IP address/)));
      else if (step === "cut") await link.cable.cut();
      else if (step === "mend") await link.cable.mend();
      else if (step === "hang up the client's line") await link.hangUp("client");
      else if ("run" in step) await link[step.on].run(step.run);
      else await must(step.on).waitFor(step.says, step.nth);
    }
    const expected: Partial<Record<Side, unknown>> = {};
    const actual: Partial<Record<Side, unknown>> = {};
    for (const side of SIDES) {
      const part: Part | undefined = transcript[side];
      if (part === undefined) continue;
      expected[side] = digest(part.status, part.output, crossing);
      actual[side] = digest(await must(side).exit(), must(side).lines, crossing);
      if (part.syslog === undefined || link[side].kind === "real") continue;
      expect(priorities(await link[side].syslog())).toEqual(priorities(part.syslog));
    }
    expect(actual).toEqual(expected);
    for (const side of SIDES) expect(runs[side]?.lines.join("\n") ?? "").not.toContain("gargleBlaster");
    for (const side of SIDES)
      if (link[side].kind === "ours" && side !== killed) expect(await link[side].traces()).toEqual([]);
  } finally {
    if (!steps.includes("hang up the client's line")) await link.cable.mend();
    await Promise.all(SIDES.map((side) => link[side].reset()));
  }
}

const PAIRINGS = {
  "ours serves ours": new LinkPool("ours", "ours", 1),
  "ours serves real": new LinkPool("ours", "real", 1),
  "real serves ours": new LinkPool("real", "ours", 1),
} as const;
afterAll(async () => {
  await Promise.all(Object.values(PAIRINGS).map((pool) => pool.close()));
  await closeMachines();
});

for (const one of CASES) {
  const transcript = skip === undefined ? readTranscript(one.name) : {};
  for (const [pairing, pool] of Object.entries(PAIRINGS)) {
    // With nobody to talk to there is but one side to look at.
    if (transcript.server === undefined && pairing !== "ours serves ours") continue;
    const name = `${one.name}: ${transcript.server === undefined ? "ours alone" : pairing}`;
    test.concurrent.skipIf(skip !== undefined)(skip === undefined ? name : `${name} [skipped: ${skip}]`, () =>
      pool.use(async (link) => {
        await replay(link, one, transcript);
        return one.steps?.includes("hang up the client's line") ? "spoilt" : undefined;
      }),
    );
  }
}
