// Debian's pppconfig writes the files of a connection, and ifupdown brings the connection up and down with them (pon and
// poff). Ours is in the place of pppd, chat, pon and poff, and dials into a port that plays the modem.

import { readFileSync } from "node:fs";
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { type Cable, openCable } from "../kit/cable.ts";
import { closeMachines, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";
import { addStarters, startersMissing } from "../kit/starters.ts";
import { must } from "../kit/wires.ts";
import { PATIENT, PATIENT_WORDS } from "./patient-options.ts";

setDefaultTimeout(3 * PATIENCE_MS);

const missing =
  machinesMissing() ??
  tunMissing() ??
  (Bun.which("perl") === null ? "perl is not installed" : undefined) ??
  startersMissing("sbin/pppconfig", "sbin/ifup");

/** Answers pppconfig's questions in place of a person. It ends pppconfig at a question that it does not know. */
const ANSWERS = `#!/bin/sh
echo "$2" >>/run/asked
case $2 in
  "Main Menu") if grep -q Properties /run/asked; then answer=Quit; else answer=Create; fi ;;
  "Configure Nameservers (DNS)") answer=Dynamic ;;
  *"Authentication Method"*) answer=PAP ;;
  "User Name") answer=zaphod ;;
  "Password") answer=gargleBlaster ;;
  "Speed") answer=115200 ;;
  "Pulse or Tone") answer=Tone ;;
  "Phone Number") answer=5551212 ;;
  "Choose Modem Config Method") exit 1 ;;
  "Manually Select Modem Port") answer=/dev/ttyS0 ;;
  *Properties*) answer=Finished ;;
  Finished) answer= ;;
  *) exit 255 ;;
esac
printf %s "$answer" >&2
`;

let port: Program | undefined;
let cable: Cable | undefined;
afterEach(async () => {
  await port?.stop();
  await closeMachines();
  await cable?.close();
});

test.skipIf(missing !== undefined)(
  `what pppconfig writes dials in by ifup, and ifdown hangs up${missing === undefined ? "" : ` [skipped: ${missing}]`}`,
  async () => {
    cable = await openCable({ baud: 115200 });
    const secret = "zaphod server gargleBlaster *\n";
    const [isp, home] = await Promise.all([
      openMachine("isp", { ttys: { ttyS1: cable.a }, files: { "/etc/ppp/pap-secrets": secret } }),
      openMachine("home", {
        ttys: { ttyS0: cable.b },
        files: {
          "/run/bin/whiptail": ANSWERS,
          "/etc/network/interfaces": "iface dialup inet ppp\n  provider isp\n",
          "/etc/ppp/options": PATIENT,
          "/etc/ppp/pap-secrets": "# ours\n",
        },
      }),
    ]);
    await addStarters(home);
    await must(home, "mkdir -p /etc/ppp/peers /etc/chatscripts /etc/ppp/resolv /var/lib/pppconfig /run/network");
    await must(
      home,
      "PATH=/run/bin:$PATH:/usr/sbin LC_ALL=C pppconfig --whiptail isp </dev/null >/run/pppconfig.log 2>&1",
    );
    expect(readFileSync(home.path("/run/asked"), "utf8")).toEndWith("Finished\nMain Menu\n");
    const peer = readFileSync(home.path("/etc/ppp/peers/isp"), "utf8");
    expect(peer).toContain('connect "/usr/sbin/chat -v -f /etc/chatscripts/isp"');

    const served = ["autodetect", "modem,ppp", "require-pap", "auth", "name", "server", "ms-dns", "10.0.0.53"];
    const words = [built("pppd"), "/dev/ttyS1", "115200", "nodetach", "local", ...served, ...PATIENT_WORDS];
    port = new Program([...words, "10.0.0.1:10.0.0.2"], { machine: isp });
    await port.waitFor("Waiting for a caller on /dev/ttyS1");
    await must(home, "PATH=$PATH:/usr/sbin ifup --no-scripts dialup");
    await port.waitFor("remote IP address 10.0.0.2");
    await until("the default route is there", async () =>
      (await home.run("ip", "route", "show", "default")).stdout.includes("dev ppp0"),
    );
    expect((await home.run("ping", "-c", "2", "-w", "60", "10.0.0.1")).status).toBe(0);
    expect(readFileSync(home.path("/etc/ppp/resolv.conf"), "utf8")).toContain("nameserver 10.0.0.53");
    await must(home, "PATH=$PATH:/usr/sbin ifdown --no-scripts dialup");
    await until("pppd has ended", () => home.interfaces().length === 0 && home.processes().length === 0);
    await port.waitFor("LCP terminated by peer");
    expect(port.text).not.toContain("Blaster");
  },
);
