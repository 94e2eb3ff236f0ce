// Our executable on real drivers: a 16550A and an FTDI adapter in the lab's PC, changing modem lines, an adapter that
// is pulled out, and an init as process 1. The real pppd is at the other end, in its own guest.

import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeFd, libc, Memory, O, openFd } from "../../src/os/ffi/libc.ts";
import { readTermios, writeTermios } from "../../src/os/serial/termios.ts";
import { Lab, missing as labMissing } from "../kit/lab.ts";
import { missing, Pc } from "../kit/lab/qemu.ts";
import { NullModem } from "../kit/null-modem.ts";
import { until } from "../kit/patience.ts";
import type { Line } from "../kit/program.ts";

// On a busy machine, an emulated processor needs minutes for what usually takes seconds.
setDefaultTimeout(300_000);
const WITHIN = { within: 120_000 };
const OURS = "10.9.0.1";
const PEERS = "10.9.0.2";
const UP = "remote IP address";
const WORDS = "115200 noauth nodetach lock debug persist maxfail 0 nodefaultroute noipv6";
/** The real pppd, which serves one client after the other. */
const PEER = `pppd /dev/ttyS1 115200 local noauth nodetach persist maxfail 0 holdoff 0 silent nodefaultroute noipv6 ${PEERS}:${OURS}`;

const reason = missing() ?? labMissing();
const title = "a PC with a 16550A and an FTDI adapter";
describe.skipIf(reason !== undefined)(reason === undefined ? title : `${title} [skipped: ${reason}]`, () => {
  let pc: Pc;
  let lab: Lab;
  /** The logs of later programs begin after this line. */
  let mark: Line;
  const peers: Lab[] = [];
  let running = false;
  beforeAll(async () => {
    pc = await Pc.run();
    lab = pc.lab;
  });
  // The remains of a failed test must not disturb the next one.
  afterEach(async () => {
    pc.uart.set({ carrier: true, cts: true });
    if (!running) return;
    await lab.exec("killall -9 pppd sleep");
    await wait();
  });
  afterAll(async () => {
    await Promise.all(peers.map((peer) => peer.stop()));
    await pc?.stop();
  });

  /** `waitFor` and `said` look at lines from now on. */
  const forget = async (): Promise<void> => {
    const word = `mark ${Math.random()}`;
    await lab.exec(`logger '${word}'`);
    mark = await lab.waitFor(word);
  };
  const said = (): string => lab.log.slice(lab.log.indexOf(mark.text) + mark.text.length);
  const waitFor = (pattern: RegExp | string, after = mark): Promise<Line> =>
    lab.waitFor(pattern, { after, ...WITHIN }).catch(() => {
      throw new Error(`the PC did not say ${pattern}:${said()}`);
    });
  const start = async (command: string): Promise<void> => {
    await forget();
    await lab.start(command);
    running = true;
  };
  const wait = async (): Promise<number> => {
    const status = await lab.wait();
    running = false;
    return status;
  };
  const must = async (command: string): Promise<string> => {
    const { status, stdout, stderr } = await lab.exec(command, WITHIN.within);
    if (status !== 0) throw new Error(`${command}: status ${status}: ${stdout}${stderr}`);
    return stdout;
  };
  /** Ends the pppd in the PC and returns its status. */
  const end = async (): Promise<number> => {
    await lab.exec("killall pppd");
    return wait();
  };
  const peerAt = async (attach: string): Promise<Lab> => {
    const peer = await Lab.run({ attach });
    peers.push(peer);
    await peer.start(PEER);
    return peer;
  };
  const leave = async (peer: Lab): Promise<void> => {
    await peer.stop();
    peers.splice(peers.indexOf(peer), 1);
  };

  test("a peer that calls while the port is being opened does not hear itself", async () => {
    const caller = new Caller(lab.line, () => pc.uart.drives("dtr"));
    const closed = (): Promise<void> => until("a closed port", () => !pc.uart.drives("dtr"), WITHIN.within);
    /** The fraction of the octets sent to a starting pppd that came back. */
    const echoed = async (): Promise<number> => {
      // The state when no program has made the port raw: the settings of its last owner are in force, and it echoes.
      await must("stty sane </dev/ttyS0");
      await closed();
      caller.begin();
      await start("exec sleep 1000 </dev/ttyS0");
      await until("an echo", () => caller.echoes > 3, WITHIN.within);
      await lab.exec("killall sleep");
      await wait();
      await closed();
      caller.begin();
      await start(`pppd /dev/ttyS0 ${WORDS} local`);
      await until("pppd's first frame", () => caller.heard.includes("~\xff}#"), WITHIN.within);
      const { said, echoes } = caller;
      await end();
      return echoes / said;
    };
    try {
      // A port has its old settings until the program that opened it calls tcsetattr, and on a busy machine many octets
      // may arrive in between. A fault in the order would return a seventh to a half of them. Two calls of three
      // decide.
      const isQuiet = async (): Promise<boolean> => (await echoed()) < 0.08;
      const two = [await isQuiet(), await isQuiet()];
      expect(two[0] === two[1] ? two[0] : await isQuiet()).toBe(true);
    } finally {
      caller.close();
    }
  });

  describe("the 16550A", () => {
    let peer: Lab;
    beforeAll(async () => {
      peer = await peerAt(lab.line);
    });
    afterAll(() => leave(peer));

    test("DTR and RTS are on while the port is open; a lost carrier ends the link, and the next begins at once", async () => {
      // With a longer holdoff the second link would come too late for this test.
      await start(`pppd /dev/ttyS0 ${WORDS} crtscts modem holdoff 3600`);
      const first = await waitFor(UP);
      expect([pc.uart.drives("dtr"), pc.uart.drives("rts")]).toEqual([true, true]);
      pc.uart.set({ carrier: false });
      const hangup = await waitFor("Modem hangup", first);
      pc.uart.set({ carrier: true });
      await waitFor(UP, hangup);
      await must(`ping -c 1 -W 60 ${PEERS}`);
      expect(await end()).toBe(5);
      expect([pc.uart.drives("dtr"), pc.uart.drives("rts")]).toEqual([false, false]);
      expect(await must("ls /run/lock; ip -o link")).not.toMatch(/LCK|ppp0/);
    });

    test("without persist a lost carrier is exit status 16", async () => {
      await start(`pppd /dev/ttyS0 ${WORDS} crtscts modem nopersist`);
      await waitFor(UP);
      pc.uart.set({ carrier: false });
      expect(await wait()).toBe(16);
      pc.uart.set({ carrier: true });
    });

    test("CTS holds everything back while it is low, and nothing is lost but time", async () => {
      await start(`pppd /dev/ttyS0 ${WORDS} crtscts local`);
      await waitFor(UP);
      // The peer may still have had the link of the test before.
      await must(`until ping -c 1 -W 60 ${PEERS}; do sleep 0.1; done`);
      const linksBefore = said().split(`[cmd] ${UP}`).length;
      pc.uart.set({ cts: false });
      await must("while grep -q '^0:.*CTS' /proc/tty/driver/serial; do sleep 0.1; done");
      expect(await lab.exec(`ping -c 2 -W 1 ${PEERS}`, WITHIN.within)).toMatchObject({ status: 1 });
      pc.uart.set({ cts: true });
      await must(`ping -c 1 -W 60 ${PEERS}`);
      expect(said().split(`[cmd] ${UP}`)).toHaveLength(linksBefore);
      expect(await end()).toBe(5);
    });

    test("another program at the port is named, and its settings are put back", async () => {
      await must("(exec sleep 3600 <>/dev/ttyS0) >/dev/null 2>&1 &");
      await start(`pppd /dev/ttyS0 ${WORDS} crtscts local`);
      await waitFor(/\/dev\/ttyS0 is also open in sleep \(pid \d+\)/);
      await waitFor(UP);
      await must("stty icanon echo 9600 </dev/ttyS0");
      await waitFor("changed the settings of /dev/ttyS0 (9600 icanon echo)");
      await must(`ping -c 1 -W 60 ${PEERS}`);
      expect(await end()).toBe(5);
      await must("killall sleep");
    });

    test("a speed that its crystal cannot make is reported, with what it runs at", async () => {
      await start(`pppd /dev/ttyS0 ${WORDS} 230400 local`);
      await waitFor(/ cannot do 230400 bit\/s and is set to \d+; it can do 115200, /);
      await end();
      await start(`pppd /dev/ttyS0 ${WORDS} 31250 local`);
      await waitFor(" cannot do 31250 bit/s and runs at 28800, 8 % off");
      await end();
    });

    test("busybox init as process 1 starts it again for each caller", async () => {
      // Only syslog's lines: the console shows each line twice.
      const up = /pppd\[(\d+)\]: remote IP address/;
      const serving = async (after?: Line): Promise<Line> => waitFor(up, after);
      await forget();
      const entry = "::respawn:/usr/sbin/pppd /dev/ttyS0 115200 noauth -detach lock modem nodefaultroute noipv6";
      await must(`echo '${entry}' >>/etc/inittab; kill -HUP 1`);
      const first = await serving();
      pc.uart.set({ carrier: false });
      const hangup = await waitFor(/pppd\[\d+\]: Modem hangup/, first);
      pc.uart.set({ carrier: true });
      const second = await serving(hangup);
      const [before, after] = [first, second].map(({ text }) => up.exec(text)![1]);
      expect(after).not.toBe(before);
      expect(await must(`grep PPid /proc/${after}/status`)).toBe("PPid:\t1\n");
      await must("sed -i '$d' /etc/inittab; kill -HUP 1; killall pppd; while pidof pppd; do sleep 0.1; done");
    });

    test("a lock that a dead machine left is stale, even when its number is somebody else's now", async () => {
      await must("mkdir -p /lab/host/lock && mount -o bind /lab/host/lock /run/lock");
      await start(`pppd /dev/ttyS0 ${WORDS} local`);
      await waitFor(UP);
      const left = await must("cat /run/lock/LCK..ttyS0");
      await lab.restart();
      running = false;
      await must("mount -o bind /lab/host/lock /run/lock");
      expect(await must("cat /run/lock/LCK..ttyS0")).toBe(left);
      await must(
        `until kill -0 ${left.trim()}; do echo ${Number(left) - 1} >/proc/sys/kernel/ns_last_pid; sleep 3600 & done`,
      );
      await start(`pppd /dev/ttyS0 ${WORDS} local`);
      await waitFor(UP);
      expect(Number(await must("cat /run/lock/LCK..ttyS0"))).not.toBe(Number(left));
      expect(await end()).toBe(5);
    });
  });

  /** What the doctor says about a port: codes of findings, facts, and its exit status. */
  const examined = async (words: string) => {
    const { status, stdout } = await lab.exec(`nullmodem doctor ${words} --json`, WITHIN.within);
    const { findings, facts } = JSON.parse(stdout) as {
      findings: { code: string; text: string }[];
      facts: {
        cable?: {
          speeds: { speed: number; state: string; out?: { arrived: number } }[];
          wires: { to: string; works: boolean }[];
        };
      };
    };
    return { status, codes: findings.map(({ code }) => code), findings, facts };
  };

  test("the doctor knows the chip, and sees which modem line is low", async () => {
    pc.uart.set({ carrier: false });
    const { status, codes, facts } = await examined("/dev/ttyS0");
    expect([status, codes]).toEqual([1, ["carrier-missing", "silence"]]);
    expect(facts).toMatchObject({
      uart: { type: "16550A", fifo: 16, base: 115200 },
      lines: { cts: true, dsr: true, cd: false },
      speeds: [300, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200],
    });
    expect([pc.uart.drives("dtr"), pc.uart.drives("rts")]).toEqual([false, false]);
  });

  test("the adapter's latency timer is 1 ms while pppd runs, and as before when pppd has ended or was killed", async () => {
    const timer = "/sys/class/tty/ttyUSB0/device/latency_timer";
    const becomes = (value: number): Promise<string> => must(`until grep -qx ${value} ${timer}; do sleep 0.1; done`);
    await pc.plug();
    try {
      await must(`until echo 16 >${timer}; do sleep 0.1; done`);
      await start(`pppd /dev/ttyUSB0 ${WORDS} local`);
      await becomes(1);
      await end();
      await becomes(16);
      await start(`pppd /dev/ttyUSB0 ${WORDS} local`);
      await becomes(1);
      await lab.exec("killall -9 pppd");
      await wait();
      await becomes(1);
      expect(await must("nullmodem cleanup 2>&1")).toContain("latency timer of /dev/ttyUSB0 is 16 ms again");
      await becomes(16);
    } finally {
      await pc.unplug();
    }
  });

  test("two doctors, at the 16550A and at the adapter, find the wire that their cable lacks", async () => {
    await pc.plug();
    await must("until [ -c /dev/ttyUSB0 ]; do sleep 0.1; done");
    const ends = [
      { terminal: lab.line, lines: pc.uart },
      { terminal: pc.adapterLine, lines: pc.adapter },
    ] as const;
    const cable = new NullModem(ends, false);
    try {
      await must("nullmodem doctor /dev/ttyUSB0 --far --speed 115200 --json >/tmp/there 2>/dev/null &");
      const { findings, facts } = await examined("/dev/ttyS0 --far --speed 115200");
      // A busy machine may lose octets, as it has no flow control here.
      expect(findings[0]).toMatchObject({
        code: "wire-missing",
        text: "These wires are missing: DTR here to DCD there",
      });
      expect(facts.cable!.wires.filter(({ works }) => works)).toHaveLength(5);
      const rows = new Map(facts.cable!.speeds.map((row) => [row.speed, row]));
      expect(rows.get(230400)!.state).toBe("the port here cannot do it");
      expect(rows.get(115200)!.out!.arrived).toBeGreaterThan(0);
      const there = await must("while pidof nullmodem; do sleep 0.1; done; cat /tmp/there");
      expect(there).toContain("These wires are missing: DTR there to DCD here");
    } finally {
      cable.close();
      await pc.unplug();
    }
  });

  test("an adapter is waited for, and one TCP stream outlives ten of its absences", async () => {
    const peer = await peerAt(pc.adapterLine);
    // nc ends with its standard input.
    await peer.exec("tail -f /dev/null | nc -l -p 5000 >/tmp/got &");
    await start(`pppd /dev/ttyUSB0 ${WORDS} local`);
    await waitFor(/ttyUSB0.* waiting for it/);
    await pc.plug();
    let up = await waitFor(UP);
    // Prints one number a line until there are enough.
    const numbers = "n=0; until [ -e /tmp/enough ]; do n=$((n+1)); echo $n; sleep 0.05; done";
    await must(`(${numbers}) | tee /tmp/sent | nc ${PEERS} 5000 >/dev/null 2>&1 &`);
    for (let round = 1; round <= 10; round++) {
      const length = Number((await peer.exec("wc -c </tmp/got")).stdout);
      await peer.exec(`until [ $(wc -c </tmp/got) -gt ${length} ]; do sleep 0.05; done`, WITHIN.within);
      await pc.unplug();
      const gone = await waitFor("is gone; waiting for it", up);
      await pc.plug();
      up = await waitFor(UP, gone);
    }
    await must("touch /tmp/enough; while pidof nc; do sleep 0.1; done");
    expect((await peer.exec("cat /tmp/got")).stdout).toBe(await must("cat /tmp/sent"));
    expect(await end()).toBe(5);
    await leave(peer);
  });
});

const TURN_MS = 5;
const ROOM = 4096;

/** The test program at the end of a line: raw, printing numbers while the other end is open. */
class Caller {
  heard = "";
  /** How many numbers. */
  said = 0;
  #call = 0;
  readonly #fd: number;
  readonly #memory = new Memory(ROOM);
  readonly #timer: Timer;

  constructor(terminal: string, isOpen: () => boolean) {
    this.#fd = openFd(terminal, O.RDWR | O.NOCTTY | O.NONBLOCK);
    writeTermios(this.#fd, { ...readTermios(this.#fd), iflag: 0, oflag: 0, lflag: 0 }, "now");
    this.#timer = setInterval(() => this.#turn(isOpen()), TURN_MS);
  }

  /** A new call: earlier numbers do not count. */
  begin(): void {
    this.heard = "";
    this.said = 0;
    this.#call++;
  }

  /** How many of its numbers have come back. */
  get echoes(): number {
    return this.heard.split(this.#mark).length - 1;
  }

  close(): void {
    clearInterval(this.#timer);
    closeFd(this.#fd);
  }

  get #mark(): string {
    return `<${this.#call}:`;
  }

  #turn(isOpen: boolean): void {
    for (let got = 0; (got = libc.read(this.#fd, this.#memory.address, ROOM)) > 0;)
      this.heard += Buffer.from(this.#memory.bytes.subarray(0, got)).toString("latin1");
    if (!isOpen) return;
    const word = new TextEncoder().encode(`${this.#mark}${++this.said}>`);
    this.#memory.bytes.set(word);
    libc.write(this.#fd, this.#memory.address, word.length);
  }
}
