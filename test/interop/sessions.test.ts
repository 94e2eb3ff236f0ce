// Repeats the sessions that the lab recorded from the real pppd, with ours on one side and the real one on the other,
// and with ours on both. Exit codes, messages and their order must be the same.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { closeMachines, machinesMissing, tunMissing } from "../kit/machine.ts";
import { missing } from "../kit/lab.ts";
import { type Laplink, LinkPool, type Side } from "../kit/end.ts";
import { type Part, readTranscript, type Transcript } from "../kit/transcript.ts";
import { type Case, CASES, play, SIDES, tidy } from "./session-cases.ts";

/** The time limit includes waiting for a link. */
setDefaultTimeout(400_000);
const skip = machinesMissing() ?? tunMissing() ?? missing();

/**
 * The differences from the recording, in lines without {@link VARIABLE} parts. Matching lines are left out on both
 * sides.
 */
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
  { text: /^pppd: try: sudo pppd .*\n/gm, because: "what helps" },
  { text: /^(Here .* was given|Neither end said it): .*\n/gm, because: "which end should say what" },
  { text: /^pppd: or without root and without an interface: .*\n/gm, because: "what helps without root" },
  { text: /^pppd: pppd must be run as root or with CAP_NET_ADMIN\n/gm, because: "2.5 says this, and we both" },
  {
    text: /^Waiting for 1 child processes\.\.\.\n  script (exit 1|cat|pppd notty .*), pid N\n/gm,
    because: "a program that has lost its line may be gone by then",
  },
  {
    text: /^cat: .*: Input\/output error\n/gm,
    because: "the guest's cat is busybox's, and it may say so a line earlier",
  },
  { text: /^.*pppd show-options.* lists all options.*\n/gm, because: "where all options are listed" },
  { text: /^chat waited for .*\n/gm, because: "the real chat leaves it at its exit code" },
  { text: /^Peer .* authenticated with (PAP|CHAP|EAP)\n/gm, because: "said since 2.5.1" },
  { text: /^Heard .*\n/gm, because: "what was heard instead" },
  {
    text: /^(The secret of "|The system refused |We said to be "|The peer wanted us |No line of \/|There is no \/|A line is: |Line \d).*\n/gm,
    because: "which line of the secrets file",
  },
  {
    text: /^(Process \d+ is |\/dev\/\S+ is (not a serial port|also open in)).*\n/gm,
    because: "what is wrong with the port",
  },
  { text: /^(sent|rcvd) \[LCP ConfNak id=N\]\n/gm, because: "ours asks for a request that was lost" },
  { text: /^mru value \d+ is not between .*\n/gm, because: "2.4.9 changes the value without a word" },
];

/** The parts that change from run to run. */
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

/** A repeated request is counted too, so that one side may reach its limit first and reject the other's address. */
const INSISTED = /\[IPCP Conf(Req id=N <addrs|Rej id=N <addrs?) /;

/**
 * Messages are compared in order. Packets are compared as a set, because their order depends on the line and some are
 * repeated.
 */
function digest(status: number, output: readonly string[], { crossing, insisting }: Case): unknown {
  const lines = normal(output).filter(
    (line) => !(crossing === true && CROSSED.test(line)) && !(insisting === true && INSISTED.test(line)),
  );
  return {
    status: crossing === true && status === 16 ? 10 : status,
    messages: lines.filter((line) => !PACKET.test(line)),
    packets: [...new Set(lines.filter((line) => PACKET.test(line)))].sort(),
  };
}

/** The syslog priority of each message: "local2.notice pppd" and so on. PAM's own lines are left out. */
function priorities(syslog: readonly string[]): Record<string, string> {
  const weights: Record<string, string> = {};
  for (const line of syslog) {
    const [, priority, text] = /^(\S+ \w+)\[PID\]: (.*)$/.exec(line) ?? [];
    if (priority === undefined || priority.startsWith("authpriv")) continue;
    for (const message of normal([text!])) if (!PACKET.test(message)) weights[message] = priority;
  }
  return weights;
}

async function replay(link: Laplink, one: Case, transcript: Transcript): Promise<void> {
  const played = await play(link, one, transcript);
  const expected: Partial<Record<Side, unknown>> = {};
  const actual: Partial<Record<Side, unknown>> = {};
  for (const side of SIDES) {
    const part: Part | undefined = transcript[side];
    const did = played[side];
    if (part === undefined || did === undefined) continue;
    expected[side] = digest(part.status, part.output, one);
    actual[side] = digest(did.status, did.lines, one);
    expect(did.lines.join("\n")).not.toContain("gargleBlaster");
    if (link[side].kind === "real") continue;
    if (side !== one.killed) expect(await link[side].traces()).toEqual([]);
    if (part.syslog !== undefined) expect(priorities(await link[side].syslog())).toEqual(priorities(part.syslog));
  }
  expect(actual).toEqual(expected);
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
    // Without a peer there is only one side to compare.
    if (transcript.server === undefined && pairing !== "ours serves ours") continue;
    const name = `${one.name}: ${transcript.server === undefined ? "ours alone" : pairing}`;
    test.concurrent.skipIf(skip !== undefined)(skip === undefined ? name : `${name} [skipped: ${skip}]`, () =>
      pool.use(async (link) => {
        let reusable = false;
        try {
          await replay(link, one, transcript);
        } finally {
          reusable = await tidy(link, one);
        }
        return reusable ? undefined : "spoilt";
      }),
    );
  }
}
