// The sessions of fixtures/transcripts and the actions while both sides run. sessions.test.ts compares them,
// scripts/record-transcripts.ts records them.

import type { Laplink, Run, Side } from "../kit/end.ts";
import type { Transcript } from "../kit/transcript.ts";

/** An action or a wait while both sides run. */
type Step =
  | "up"
  | "cut"
  | "mend"
  | "hang up the client's line"
  | { readonly on: Side; readonly run: string }
  | { readonly on: Side; readonly says: string; readonly nth?: number };

export interface Case {
  /** The name of the transcript. */
  readonly name: string;
  readonly steps?: readonly Step[];
  /** Prepares the server. */
  readonly setup?: string;
  /** Both sides insist, a hundred times each. Six times are enough, and do not flood the guest's console. */
  readonly insisting?: true;
  /**
   * Both sides close at once. A side that receives the other's request before it has sent its own logs that, and exits
   * with 16 instead of 10. Other packets may be logged or not, because the kernel delivers LCP and CCP on two
   * descriptors.
   */
  readonly crossing?: true;
  /** A killed program cannot clean up. */
  readonly killed?: Side;
}

const kill = (on: Side, signal: string): Step => ({ on, run: `kill -${signal} $(head -n1 /var/run/ppp0.pid)` });
const TERM_CLIENT = kill("client", "TERM");
const TERM_SERVER = kill("server", "TERM");
const PING: Step = { on: "client", run: "ping -c 3 -i 0.2 192.168.0.1" };
/** This also holds for the server: a slow real pppd reads the LCP packet first, which waits at another descriptor. */
const DEFLATE_AGAIN: readonly Step[] = (["client", "server"] as const).map((on) => ({
  on,
  says: "Deflate (15) compression enabled",
  nth: 1,
}));
const CONNECTED: Step = { on: "client", says: "Connect: " };
const IN_SCRIPT: Step = { on: "client", run: "until ps ax | grep -q ' [s]leep 20$'; do sleep 0.05; done" };
const TERM_EARLY: Step = { on: "client", run: "kill -TERM $(cat /var/lock/LCK..ttyS0)" };

/**
 * Debian's common-auth reports an unknown user as a wrong password to reveal nothing. The lab's PAM has only this
 * module.
 */
const PAM_UNIX = "for kind in auth account session; do echo $kind required pam_unix.so; done >/etc/pam.d/ppp";

export const CASES: readonly Case[] = [
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
  { name: "ccp-bsdcomp", steps: ["up", TERM_CLIENT] },
  { name: "ccp-off", steps: ["up", TERM_CLIENT] },
  { name: "ipv6", steps: ["up", TERM_CLIENT] },
  { name: "mru-mtu", steps: ["up", TERM_CLIENT] },
  { name: "ipcp-no-addresses", crossing: true },
  { name: "ipcp-defaultroute", steps: ["up", TERM_CLIENT] },
  { name: "ipcp-mismatch", insisting: true, crossing: true },
  {
    name: "usr-signals",
    steps: ["up", kill("client", "USR1"), kill("client", "USR2"), ...DEFLATE_AGAIN, kill("client", "INT")],
  },
  { name: "end-sighup", steps: ["up", kill("client", "HUP")] },
  { name: "end-echo-failure", steps: ["up", "cut", { on: "client", says: "Modem hangup" }, TERM_SERVER] },
  { name: "end-echo-failure-mended", steps: ["up", "cut", { on: "client", says: "No response" }, "mend"] },
  { name: "end-idle" },
  { name: "end-maxconnect" },
  { name: "end-kill-peer", steps: ["up", kill("client", "KILL"), TERM_SERVER], killed: "client" },
  { name: "end-hangup", steps: ["up", "hang up the client's line", { on: "client", says: "terminated" }, TERM_SERVER] },
  { name: "end-no-peer" },
  { name: "end-no-peer-default" },
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

/**
 * LCP waits one second instead of three when the command is only a pppd's and does not set the time. PAP's request is
 * not repeated within the two seconds of PAM for a wrong password, which take longer on a busy machine. Nor is IPCP's
 * while both insist, because an answer to a repetition would count too.
 */
function hasty(command: string, insisting = false): string {
  if (!/^pppd (?!.*(;|lcp-restart)).* -detach/.test(command)) return command;
  return `${command} lcp-restart 1 pap-restart 20${insisting ? " ipcp-max-failure 6 ipcp-restart 8" : ""}`;
}

export const SIDES = ["server", "client"] as const;

/** The result of one side: its exit status and its lines. */
export interface Played {
  readonly status: number;
  readonly lines: readonly string[];
}

/** Runs a case with the files and commands of a transcript to its end. A side without a command is left out. */
export async function play(
  link: Laplink,
  { steps = [], setup, insisting }: Case,
  transcript: Transcript,
): Promise<Partial<Record<Side, Played>>> {
  const runs: Partial<Record<Side, Run>> = {};
  const must = (side: Side): Run => {
    const run = runs[side];
    if (run === undefined) throw new Error(`nothing runs on the ${side}`);
    return run;
  };
  for (const side of SIDES) await link[side].install(transcript[side]?.files ?? {});
  if (setup !== undefined) await link.server.run(setup);
  const { server, client } = transcript;
  if (server !== undefined) {
    runs.server = await link.server.start(hasty(server.command, insisting));
    if (server.command.includes(" connect ")) await link.server.logged("expect (CLIENT)");
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
  const played: Partial<Record<Side, Played>> = {};
  for (const side of SIDES) {
    const run = runs[side];
    if (run !== undefined) played[side] = { status: await run.exit(), lines: run.lines };
  }
  return played;
}

/** Prepares both sides for the next case. False: the line is unusable, and another link must be opened. */
export async function tidy(link: Laplink, { steps = [] }: Case): Promise<boolean> {
  const isSpoilt = steps.includes("hang up the client's line");
  if (!isSpoilt) await link.cable.mend();
  await Promise.all(SIDES.map((side) => link[side].reset()));
  return !isSpoilt;
}
