// nm-pppd-plugin.so: NetworkManager starts pppd with it, and is told how the session goes. It has our name and secret. The
// texts of the log are those of NetworkManager's own plugin.

import { decoded, encoded } from "../../bytes/text.ts";
import type { Account } from "../../link/authentication.ts";
import type { DbusArgument, DbusVariant } from "../../wire/dbus.ts";
import type { InterfaceId } from "../../wire/ipv6cp.ts";
import type { MessageBus } from "../host/message-bus.ts";
import type { Log } from "../log.ts";
import { type Clock, reasonOf } from "../machine.ts";
import type { PacketPort } from "../packets/port.ts";
import type { Ipv4Up, Ipv6Up, NetworkObserver } from "../session/network-observer.ts";
import type { SessionPhase, SessionPlugin } from "../session/session-plugin.ts";
import { Bus } from "./bus.ts";

const SERVICE = "org.freedesktop.NetworkManager";
const INTERFACE = "org.freedesktop.NetworkManager.PPP";

/** NetworkManager's number of each phase, which is pppd's own, and its name in the log. */
const PHASES: Readonly<Record<SessionPhase | "dead", readonly [state: number, text: string]>> = {
  dead: [0, "dead"],
  serialconn: [2, "serial connection"],
  dormant: [3, "dormant"],
  establish: [4, "establish"],
  authenticate: [5, "authenticate"],
  callback: [6, "callback"],
  network: [7, "network"],
  running: [8, "running"],
  terminate: [9, "terminate"],
  disconnect: [10, "disconnect"],
  holdoff: [11, "holdoff"],
};

/** How long the bus may take to admit us. */
const BUS_PATIENCE_MS = 25_000;
/** How long NetworkManager may take to reply, unless a person has to: GLib's own limit. */
const REPLY_PATIENCE_MS = 25_000;

export interface PluginHost {
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly log: Log;
  /** NetworkManager's object for this connection: the `ipparam` option. */
  readonly path: string;
}

/** Undefined: there is no bus. As with pppd, the session goes on without the plugin. */
export async function openPlugin(host: PluginHost): Promise<SessionPlugin | undefined> {
  host.log.write("info", "nm-ppp-plugin: initializing");
  try {
    return new NetworkManagerPlugin(host, await Bus.open(host.bus, host.clock, BUS_PATIENCE_MS));
  } catch (error) {
    host.log.write("warn", `nm-pppd-plugin: couldn't connect to system bus: ${textOf(error)}`);
    return undefined;
  }
}

class NetworkManagerPlugin implements SessionPlugin {
  readonly #host: PluginHost;
  readonly #bus: Bus;
  #phase: SessionPhase | "dead" | undefined;

  constructor(host: PluginHost, bus: Bus) {
    this.#host = host;
    this.#bus = bus;
  }

  phase(phase: SessionPhase): void {
    this.#enter(phase);
  }

  #enter(phase: SessionPhase | "dead"): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    const [state, text] = PHASES[phase];
    this.#say("info", `status ${state} / phase '${text}'`);
    this.#tell("SetState", ["u", state]);
  }

  /** NetworkManager may give the interface another name before it replies. */
  running(port: PacketPort): Promise<void> | undefined {
    this.#enter("running");
    // Nothing would wake the loop for a call that fails at once.
    if (!this.#bus.isOpen) return undefined;
    const named = this.#call("SetIfindex", [["i", port.device?.index ?? 0]], REPLY_PATIENCE_MS);
    // NetworkManager's own plugin goes on after an error, too.
    return named.then(
      () => {},
      () => {},
    );
  }

  observer(port: PacketPort): NetworkObserver {
    let name = port.name;
    return {
      up: (event) => (event.type === "ipv4-up" ? this.#ipv4Up(port, event) : this.#ipv6Up(port, event)),
      renamed: () => {
        this.#say("info", `interface name changed from '${name}' to '${port.name}'`);
        name = port.name;
      },
    };
  }

  #ipv4Up({ name }: PacketPort, { our, peer, dns, wins }: Ipv4Up): void {
    this.#say("info", "ip-up event");
    if (our === 0) {
      this.#say("warn", "didn't receive an internal IP from pppd!");
      this.#enter("dead");
      return;
    }
    const servers = (addresses: readonly number[]): DbusVariant | undefined => {
      const known = addresses.filter((address) => address !== 0).map(inMemory);
      return known.length === 0 ? undefined : ["au", known];
    };
    this.#say("info", "sending IPv4 config to NetworkManager...");
    this.#tell("SetIp4Config", [
      "a{sv}",
      given({
        interface: ["s", encoded(name)],
        address: ["u", inMemory(our)],
        gateway: peer === 0 ? undefined : ["u", inMemory(peer)],
        prefix: ["u", 32],
        dns: servers(dns),
        wins: servers(wins),
      }),
    ]);
  }

  #ipv6Up({ name }: PacketPort, { our, peer }: Ipv6Up): void {
    this.#say("info", "ip6-up event");
    this.#say("info", "sending IPv6 config to NetworkManager...");
    const iid = ({ high, low }: InterfaceId): DbusVariant => ["t", { high: inMemory(low), low: inMemory(high) }];
    this.#tell("SetIp6Config", [
      "a{sv}",
      { interface: ["s", encoded(name)], "our-iid": iid(our), "peer-iid": iid(peer) },
    ]);
  }

  /** A person may have to be asked, which takes its time. The peer does not wait for ever, so the link has an end. */
  async account(): Promise<Account> {
    this.#say("info", "passwd-hook, requesting credentials...");
    try {
      const [user = "", secret = ""] = await this.#call("NeedSecrets", []);
      this.#say("info", "got credentials from NetworkManager");
      return { user, secret };
    } catch (error) {
      this.#say("warn", `could not get secrets: ${textOf(error)}`);
      return { user: "", secret: undefined };
    }
  }

  end(): void {
    this.#enter("dead");
    this.#say("info", "cleaning up");
    this.#bus.end();
  }

  #call(member: string, body: readonly DbusArgument[], patienceMs?: number): Promise<readonly string[]> {
    const target = { destination: SERVICE, path: this.#host.path, interface: INTERFACE, member };
    return this.#bus.call(target, body, patienceMs);
  }

  /** The reply says nothing. */
  #tell(member: string, argument: DbusArgument): void {
    this.#call(member, [argument], REPLY_PATIENCE_MS).catch(() => {});
  }

  #say(level: "info" | "warn", text: string): void {
    this.#host.log.write(level, `nm-ppp-plugin: ${text}`);
  }
}

/** The number that an address in network order is in this machine's memory. All our machines are little-endian. */
function inMemory(address: number): number {
  const swapped = (address << 24) | ((address & 0xff00) << 8) | ((address >>> 8) & 0xff00) | (address >>> 24);
  return swapped >>> 0;
}

function given(all: Readonly<Record<string, DbusVariant | undefined>>): Record<string, DbusVariant> {
  const found: Record<string, DbusVariant> = {};
  for (const [name, value] of Object.entries(all)) if (value !== undefined) found[name] = value;
  return found;
}

function textOf(error: unknown): string {
  return decoded(error instanceof Error ? error.message : reasonOf(error));
}
