// One link's use of the kernel's forwarding: forwarding is on and the packet filter has the rules of the link, from `start` to `end`. A
// record tells the next pppd what to remove if this one is killed.

import { report } from "../diagnose/finding.ts";
import type { LogLevel } from "../log.ts";
import { type Machine, reasonOf } from "../machine.ts";
import { rulesRecord, zoneRecord } from "../packets/left-over.ts";
import { switchOn, sysctlName } from "../packets/switched-parameter.ts";
import { Firewalld, zoneNote } from "./firewalld.ts";
import { keepAcceptingRa } from "./accept-ra.ts";
import { setParameters } from "./interface-parameters.ts";
import { PacketFilter } from "./packet-filter.ts";
import { reservePorts } from "./reserved-ports.ts";
import { type Family, isPlainName, type Sharing } from "./sharing.ts";
import { SystemTools } from "./system-tools.ts";

const FORWARDING = { 4: "net/ipv4/ip_forward", 6: "net/ipv6/conf/all/forwarding" } as const;

type SharingMachine = Pick<Machine, "descriptors" | "files" | "network" | "processes">;

export interface KernelSharingHost {
  readonly machine: SharingMachine;
  /** Where records are kept, "/var/run". */
  readonly directory: string;
  log(level: LogLevel, text: string): void;
  /** What is to be typed for `usernet`. */
  readonly usernetWord?: string | undefined;
  /** The program does not end before this has settled. */
  wait(done: Promise<unknown>): void;
  /** The rules are gone, and cannot be made again. */
  lost(sharing: Sharing): void;
}

export class KernelSharing {
  readonly #host: KernelSharingHost;
  /** What the rules of each family are part of, while there are some. */
  readonly places = new Map<Family, string>();
  /** Those whose rules are looked after. */
  readonly #sharings = new Map<Family, Sharing>();
  readonly #filter: PacketFilter;
  /** What undoes the sharing of each family. */
  readonly #undo = new Map<Family, () => Promise<void>>();
  /** The interface that is in a zone of firewalld, and what takes it out. */
  #zone: { readonly ifname: string; readonly leave: () => Promise<void> } | undefined;
  /** What removes rules that could not be removed. */
  readonly #keptRules: (() => Promise<void>)[] = [];
  /** Steps are carried out one after the other. This is the last one. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(host: KernelSharingHost) {
    this.#host = host;
    this.#filter = new PacketFilter(host.machine, host.log);
  }

  /** A link of this family is up. A sharing that the family has is replaced. Resolves to true when it works. */
  async start(sharing: Sharing): Promise<boolean> {
    const isStarted = this.#then(async () => {
      await this.#end(sharing.family);
      return this.#start(sharing);
    });
    return (await isStarted) === true;
  }

  /** Does nothing when the family has none. */
  end(family: Family): void {
    void this.#then(() => this.#end(family));
  }

  /** Makes the rules again that another program has removed. To be called now and then. */
  renew(): void {
    for (const family of this.#sharings.keys()) void this.#then(() => this.#renew(family));
  }

  /** Undefined: it failed, and the log says why. */
  #then<Result>(act: () => Promise<Result>): Promise<Result | undefined> {
    const done = this.#last.then(act).catch((error: unknown) => {
      this.#host.log("error", `share: ${reasonOf(error)}`);
      return undefined;
    });
    this.#last = done;
    this.#host.wait(done);
    return done;
  }

  async #start(asked: Sharing): Promise<boolean> {
    const { machine, log } = this.#host;
    if (!isPlainName(asked.ifname)) {
      log("error", `share: rules of a packet filter cannot have the interface name ${asked.ifname}`);
      return false;
    }
    const undoForwarding = this.#switchForwarding(asked);
    if (undoForwarding === undefined) return false;
    const { family, index } = asked;
    const steps: (() => void | Promise<void>)[] = [undoForwarding];
    this.#undo.set(family, async () => {
      for (const step of steps.toReversed()) await step();
    });
    const ports = reservePorts(machine, asked, log);
    steps.push(ports.release);
    const sharing = { ...asked, forwards: ports.forwards };
    steps.push(setParameters(machine, sharing, log));
    const release = this.#record(`share-${index}-${family}`, rulesRecord({ family, index }));
    steps.push(() => this.#removeRules({ family, index }, release));
    // firewalld lets pass what leads to a forwarded port.
    if (sharing.from !== undefined) await this.#joinZone(sharing);
    const where = await this.#filter.make(sharing);
    if (where === undefined) {
      const { usernetWord = "usernet" } = this.#host;
      const what =
        sharing.from === undefined
          ? "forward: there are no rules, so no port leads to the peer"
          : "share: there are no rules, so nothing is shared";
      log("error", `${what}; for user-mode networking, give ${usernetWord}`);
      await this.#end(family);
      return false;
    }
    ports.tell();
    this.places.set(family, where);
    this.#sharings.set(family, sharing);
    const what =
      sharing.from === undefined
        ? `forward: ports of this machine lead to ${sharing.peer}`
        : `share: ${sharing.peer} uses this machine's network`;
    log("notice", `${what} by ${where}`);
    // The peer's packets do not wait for this.
    void this.#then(() => this.#nameBlocking(sharing));
    return true;
  }

  async #renew(family: Family): Promise<void> {
    const sharing = this.#sharings.get(family);
    if (sharing !== undefined && this.#zone !== undefined && (await this.#filter.isForgotten(sharing))) {
      await this.#endZone();
      await this.#joinZone(sharing);
    }
    const isRenewed = sharing && (await this.#filter.renew(sharing));
    if (isRenewed === undefined) return;
    if (isRenewed) {
      this.#host.log("notice", "share: other firewalls have changed; the rules of this link are made again");
      return;
    }
    this.#host.lost(sharing!);
    await this.#end(family);
  }

  /** Says which rule of another program drops the peer's packets, unless the link is over by now. */
  async #nameBlocking(sharing: Sharing): Promise<void> {
    if (!this.#undo.has(sharing.family)) return;
    const blocking = await this.#filter.findBlocking(sharing, this.#outside(sharing.family));
    if (blocking !== undefined) report({ write: this.#host.log }, [blocking]);
  }

  /** Returns what undoes it; undefined: it cannot be switched on, and the log says so. */
  #switchForwarding({ family, ifname }: Sharing): (() => void) | undefined {
    const { machine, directory, log } = this.#host;
    const name = sysctlName(FORWARDING[family]);
    const wasOn = machine.network.readSysctl(FORWARDING[family]) === "1";
    const loseRa = family === 6 ? keepAcceptingRa(machine, directory, ifname, wasOn) : (): void => {};
    const { isOn, undo } = switchOn(machine, directory, FORWARDING[family]);
    const undoAll = (): void => {
      undo();
      loseRa();
    };
    if (isOn && !wasOn) log("info", `share: ${name} is on now; it was off`);
    if (isOn) return undoAll;
    undoAll();
    log("error", `share: ${name} cannot be switched on, so no IPv${family} is forwarded`);
    return undefined;
  }

  /** The next pppd undoes what the record says if this one is killed. Returns what removes the record. */
  #record(name: string, record: string): () => void {
    const { machine, directory } = this.#host;
    const { release } = machine.processes.share(directory, `${name}-${machine.processes.pid}`, () => record);
    return () => release(() => {});
  }

  async #end(family: Family): Promise<void> {
    for (const remove of this.#keptRules.splice(0)) await remove();
    const undo = this.#undo.get(family);
    this.#undo.delete(family);
    this.places.delete(family);
    this.#sharings.delete(family);
    await undo?.();
    if (this.#undo.size === 0) await this.#endZone();
  }

  /**
   * Rules that the packet filter keeps are removed when a family ends next. After the last end they are for the next pppd, or for
   * `cleanup`, which find the record.
   */
  async #removeRules(rules: Pick<Sharing, "family" | "index">, release: () => void): Promise<void> {
    if ((await this.#filter.remove(rules)).isComplete) release();
    else this.#keptRules.push(() => this.#removeRules(rules, release));
  }

  async #endZone(): Promise<void> {
    const zone = this.#zone;
    this.#zone = undefined;
    await zone?.leave();
  }

  /** The interface that most of the peer's packets leave by; undefined: there is no default route. */
  #outside(family: Family): string | undefined {
    const { routes } = this.#host.machine.network;
    const [first] = family === 4 ? routes.defaults(undefined) : routes.defaults6(undefined);
    return first?.device.name;
  }

  /** Does nothing where firewalld does not run. */
  async #joinZone({ family, ifname, index }: Sharing): Promise<void> {
    const { machine, log } = this.#host;
    if (this.#zone?.ifname === ifname) return;
    // It had another name when the first family came up.
    await this.#endZone();
    const { firewallCmd } = machine.network.firewallTools(family);
    if (firewallCmd === undefined) return;
    const firewalld = new Firewalld(new SystemTools(machine.processes, log), firewallCmd);
    const zone = await firewalld.zoneFor(ifname, this.#outside(family));
    if (zone === undefined) return;
    const release = this.#record(`zone-${index}`, zoneRecord(zone, { index, name: ifname }));
    if (await firewalld.add(zone, ifname)) {
      log("info", `share: ${ifname} is in firewalld's zone ${zone}${zoneNote(zone)}`);
      this.#zone = {
        ifname,
        leave: async () => {
          if ((await firewalld.remove(zone, ifname)) !== "failed") release();
        },
      };
    } else release();
  }
}
