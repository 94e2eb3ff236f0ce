// The faults of the simulated world, one row each.

import type { Play } from "./play.ts";

/** When it begins and how long it lasts is in milliseconds from the start. `n` decides what else there is to choose. */
export interface Fault {
  readonly kind: string;
  readonly at: number;
  readonly ms: number;
  readonly side: 0 | 1;
  readonly n: number;
}

/** Begins a fault. What is returned ends it. */
type Begin = (play: Play, fault: Fault) => (() => void) | undefined;

/** For links with `climb`; a play begins with no higher speed than the first. */
const CLEAN_TO = [921600, 1_500_000, 2_000_000] as const;

/** Of several equal faults that overlap, the end of the first is the end of all. */
export const FAULTS: Readonly<Record<string, Begin>> = {
  damage({ laplink }, { n }) {
    const cable = cableOf(laplink.cables, n);
    cable.damage = [0.0001, 0.001, 0.01, 0.1][n % 4]!;
    return () => (cable.damage = 0);
  },
  "worse cable"({ laplink }, { n }) {
    const cable = cableOf(laplink.cables, n);
    const before = cable.cleanTo;
    cable.cleanTo = Math.min(before, CLEAN_TO[n % CLEAN_TO.length]!);
    return () => (cable.cleanTo = before);
  },
  cut({ laplink }, { n }) {
    const cable = cableOf(laplink.cables, n);
    cable.isCut = true;
    return () => (cable.isCut = false);
  },
  latency({ laplink }, { n }) {
    const cable = cableOf(laplink.cables, n);
    const before = cable.latencyMs;
    cable.latencyMs = n % 2000;
    return () => (cable.latencyMs = before);
  },
  unplugged({ laplink }, { side, n }) {
    const { ports } = laplink.computers[side];
    const port = ports[n % ports.length]!;
    const { path } = port;
    if (path === undefined) return undefined;
    port.unplug();
    // Sometimes it is another when it is back.
    const back = n % 3 === 0 && ports.length === 1 ? (path === "/dev/ttyUSB0" ? "/dev/ttyUSB7" : "/dev/ttyUSB0") : path;
    return () => (port.path = back);
  },
  "other reader"({ laplink }, { side, n }) {
    const { ports } = laplink.computers[side];
    const port = ports[n % ports.length]!;
    port.thief = { pid: 77, name: "minicom" };
    port.hasForeignSettings = n % 2 === 0;
    return () => (port.thief = undefined);
  },
  killed(play, { side }) {
    play.kill(side);
    return () => play.revive(side);
  },
  stopped({ pppds }, { side }) {
    const { process } = pppds[side]!;
    process.stop();
    return () => process.continue();
  },
  "restarted with other options"(play, { side }) {
    play.pppds[side]!.signal("SIGTERM");
    return () => play.revive(side, 1);
  },
  "hung up by SIGHUP"({ pppds }, { side }) {
    pppds[side]!.signal("SIGHUP");
    return undefined;
  },
  SIGUSR2({ pppds }, { side }) {
    pppds[side]!.signal("SIGUSR2");
    return undefined;
  },
  "hooks hang"({ laplink }, { side }) {
    const { processes } = laplink.computers[side];
    processes.hookTrouble = { ms: Infinity, exitCode: 0 };
    return () => {
      processes.hookTrouble = undefined;
      processes.endHanging();
    };
  },
  "hooks fail"({ laplink }, { side }) {
    const { processes } = laplink.computers[side];
    processes.hookTrouble = { ms: 300, exitCode: 1 };
    return () => (processes.hookTrouble = undefined);
  },
  "disk full"({ laplink }, { side }) {
    const { files } = laplink.computers[side];
    files.isFull = true;
    return () => (files.isFull = false);
  },
  "syslog stopped"({ laplink }, { side }) {
    const computer = laplink.computers[side];
    computer.isSyslogStopped = true;
    return () => (computer.isSyslogStopped = false);
  },
  "clock set"({ laplink }, { side, n }) {
    laplink.computers[side].wallOffset += (n % 2 === 0 ? 1 : -1) * n;
    return undefined;
  },
  "interface removed"({ laplink }, { side }) {
    laplink.computers[side].network.tuns[0]?.remove();
    return undefined;
  },
};

function cableOf<T>(cables: readonly T[], n: number): T {
  return cables[(n >>> 8) % cables.length]!;
}
