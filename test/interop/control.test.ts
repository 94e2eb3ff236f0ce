// `nullmodem ctl` on a link with the real pppd, and the socket from other programs, as a member of the group and as a stranger.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { type End, openLaplink, type Run } from "../kit/end.ts";
import { missing } from "../kit/lab.ts";
import { closeMachines, machinesMissing, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { Payload } from "../kit/transfer.ts";
import { PATIENT } from "./patient-options.ts";

setDefaultTimeout(3 * PATIENCE_MS);
const programs = ["socat", "setpriv"].filter((program) => Bun.which(program) === null);
const noProgram = programs.length === 0 ? undefined : `${programs.join(" and ")} are not installed`;
const noRoot = process.getuid?.() === 0 ? undefined : "only root can become another user";
const skip = missing() ?? machinesMissing() ?? tunMissing() ?? noProgram ?? noRoot;
const on = (name: string): string => (skip === undefined ? name : `${name} [skipped: ${skip}]`);
/** A group of every Debian. */
const GROUP = 5;
const STRANGER = 65534;

afterAll(closeMachines);

/** The words of a request to the only control socket, from another user's socat. */
function asking(groups: string, verb: string, ...words: readonly string[]): string {
  const request = JSON.stringify({ verb, link: "ppp0", words });
  const user = `setpriv --reuid ${STRANGER} --regid ${STRANGER} ${groups}`;
  return `echo '${request}' | ${user} socat -t ${PATIENCE_MS / 1000} - UNIX-CONNECT:$(ls /run/nullmodem-*.ctl)`;
}

async function pings(end: End): Promise<void> {
  expect((await end.run("ping -n -c 3 -i 0.2 -W 30 10.0.0.1")).status).toBe(0);
}

const countOf = ({ lines }: Run, text: string): number => lines.filter((line) => line.includes(text)).length;

test.skipIf(skip !== undefined)(
  on("a real pppd follows renegotiations and a hangup, and the group of control-group may ask for them"),
  async () => {
    const payload = new Payload({ options: `noauth\nlocal\nnodetach\n${PATIENT}` });
    const link = await openLaplink("real", "ours", { etc: payload.etc });
    const { server: there, client: here } = link;
    try {
      const server = await there.start("pppd /dev/ttyS1 115200 10.0.0.1:10.0.0.2");
      const client = await here.start(`pppd /dev/ttyS0 115200 control-group ${GROUP}`);
      for (const run of [server, client]) await run.waitFor(/^remote IP address/);
      await pings(here);

      const ctl = async (...words: readonly string[]): Promise<void> => {
        const { status, stderr } = await here.run(`nullmodem ctl ${words.join(" ")}`);
        expect([status, stderr]).toEqual([0, ""]);
      };
      await ctl("ppp0", "renegotiate");
      await until("the link is up again", () => countOf(client, "remote IP address") === 2);
      await pings(here);
      await ctl("ttyS0", "renegotiate", "ipcp");
      await until("IPCP is up again", () => countOf(client, "remote IP address") === 3);
      await pings(here);
      await ctl("ppp0", "renegotiate", "ccp");
      await until("CCP is up again", () => countOf(client, "Deflate (15) compression enabled") === 3);
      await pings(here);
      for (const run of [server, client]) expect(countOf(run, "Connect: ")).toBe(1);

      const stranger = await here.run(asking("--clear-groups", "hangup"));
      expect([stranger.stdout, stranger.stderr]).toEqual(["", expect.stringContaining("Permission denied")]);
      const member = await here.run(asking(`--groups ${GROUP}`, "debug", "on"));
      expect(member.stdout).toBe('{"ok":true}\n');
      await client.waitFor(`Control: debug on (uid ${STRANGER})`);
      expect((await here.run(asking(`--groups ${GROUP}`, "hangup"))).stdout).toBe('{"ok":true}\n');
      expect(await client.exit()).toBe(5);
      expect(client.lines.some((line) => line.startsWith("sent [LCP TermReq"))).toBe(true);
      await server.exit();
      expect(countOf(server, "LCP terminated by peer (User request)")).toBe(1);
      expect((await here.run("ls /run/nullmodem-*.ctl")).status).not.toBe(0);
    } finally {
      await link.close();
      payload.remove();
    }
  },
);
