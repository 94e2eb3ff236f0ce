// A peer that follows a file of fixtures/peers, against one real Link, with a clock that moves only where the file
// permits. fixtures/peers/README.md has the grammar.

import { u16 } from "../../src/bytes/be.ts";
import { ACCM_ALL, ESCAPE, escapeTable, FLAG, TRANSPARENCY } from "../../src/frame/accm.ts";
import { Deframer } from "../../src/frame/deframer.ts";
import { FCS_INIT, fcsOver } from "../../src/frame/fcs.ts";
import { ADDRESS, CONTROL, HEADROOM, putHeader } from "../../src/frame/header.ts";
import type { LinkEvent } from "../../src/link/events.ts";
import { checkOptions } from "../../src/options/check.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { Log } from "../../src/os/log/log-writer.ts";
import { Syslog } from "../../src/os/log/syslog-client.ts";
import { thisMachine } from "../../src/applets/this-machine.ts";
import { linkConfig } from "../../src/run/settings/link-config.ts";
import { Peers } from "../../src/run/peers/peers.ts";
import { OptionsInForce } from "../../src/run/settings/options-in-force.ts";
import { Code, type ConfOption, parseOptions as optionsOf, putConfigure, read32 } from "../../src/wire/control.ts";
import { ipv4Text } from "../../src/wire/ip.ts";
import { LcpOption } from "../../src/wire/lcp.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { fakeHost } from "./optionhost.ts";
import { packetOf, protocolOf, textOfPacket } from "./packet-text.ts";
import { Side } from "./pair.ts";
import { PeerTraffic } from "./peer-traffic.ts";
import { Rng } from "./rng.ts";

export interface Step {
  readonly line: number;
  readonly word: string;
  readonly text: string;
}

/** The LCP options of one side that affect frames. */
interface Framing {
  readonly asyncmap: number;
  readonly pcomp: boolean;
  readonly accomp: boolean;
}

/** The way in each direction. */
const LATENCY_MS = 1;
/** After the last step nothing more may come for this time. */
const QUIET_MS = 60_000;
const SPECIAL = /[.+?^${}()|[\]\\]/g;
const SECRETS = "/etc/ppp/chap-secrets";
/** pppd's own warning, logged only with `debug`. It is the only one that a peer may cause. */
const QUIRK = /^Unsupported protocol .* received$/;

export function readScript(text: string): Step[] {
  return text.split("\n").flatMap((line, at) => {
    if (line.trim() === "" || line.startsWith("#")) return [];
    const [, word, rest] = /^([a-z-]+): *(.*?) *$/.exec(line) ?? [];
    if (word === undefined || rest === undefined) throw new Error(`line ${at + 1}: not understood: ${line}`);
    return [{ line: at + 1, word, text: rest }];
  });
}

export class ScriptedPeer {
  readonly side: Side;
  readonly #steps: readonly Step[];
  readonly #peers: Peers;
  readonly #deframer = new Deframer();
  readonly #traffic = new PeerTraffic();
  /** Words of the `framing` line. */
  readonly #habits: readonly string[];
  /** The packets from the link that were not asked for yet, from their protocol on. */
  readonly #came: Uint8Array[] = [];
  readonly #lastRequest = new Map<number, Uint8Array>();
  readonly #lastId = new Map<number, number>();
  /** The requests of the peer that the other side agreed to, and those of the link that the peer agreed to. */
  #peersFraming: Framing | undefined;
  #linksFraming: Framing | undefined;
  #now = 0;
  /** It started late, so that the link cannot know which of its requests were heard. Their repetitions are left out. */
  #isLate = false;
  #eventsSeen = 0;

  constructor(steps: readonly Step[]) {
    const [words, secrets, framing, password] = ["options", "secret", "framing", "password"].map((word) =>
      steps.filter((step) => step.word === word).map(({ text }) => text),
    );
    this.#steps = steps.filter(({ word }) => !["options", "secret", "framing", "password"].includes(word));
    this.#habits = framing!.join(" ").split(" ");
    this.#traffic.password = password![0];
    this.#deframer.accm = ACCM_ALL;

    const lines = secrets!.map((line) => `${line}\n`).join("");
    const host = fakeHost({ files: { [SECRETS]: lines, "/etc/ppp/pap-secrets": lines } });
    const config = checkOptions(
      parseOptions(["/dev/ttyS1", "115200", "debug", ...words!.join(" ").split(" ")], host),
      host,
    );
    const log = new Log(new Syslog("pppd", "local2", { pid: true, path: "/nonexistent" }), undefined, true);
    log.write = () => {};
    const peers = new Peers(new OptionsInForce(config), host, thisMachine, log);
    this.#peers = peers;
    const complain = (text: string): never => {
      throw new Error(text);
    };
    this.side = new Side(linkConfig(config, peers.plan(), thisMachine.network, complain), new Rng(1), {
      peerMayUse: (address) => peers.mayUse(address),
      admitsStrangers: () => peers.admitsStrangers(),
    });
  }

  /**
   * Throws when the link does something else than the file says. Returns how long the peer, which starts `lateMs` after
   * the link, has waited for the first packet.
   */
  play(lateMs = 0): number {
    this.side.link.open(this.#now);
    this.#listen();
    const waitedMs = lateMs > 0 ? this.#comeLate(lateMs) : 0;
    for (const step of this.#steps) {
      try {
        this.#do(step);
      } catch (error) {
        const { lines } = this.side;
        throw new Error(`line ${step.line}: ${(error as Error).message}\n  ${lines.join("\n  ")}`, { cause: error });
      }
    }
    this.#pass(QUIET_MS);
    const [unasked] = this.#came;
    if (unasked !== undefined) throw new Error(`after the last line came ${textOfPacket(unasked)}`);
    if (this.side.has("terminated")) throw new Error("the link did not stay up");
    return waitedMs;
  }

  /** What was sent before this time is lost. */
  #comeLate(lateMs: number): number {
    this.#pass(lateMs);
    this.#came.length = 0;
    while (this.#came.length === 0) this.#pass(this.side.link.nextTimeout() - this.#now);
    this.#isLate = true;
    return this.#now - lateMs;
  }

  /** The messages for the user, except the one that pppd has too. */
  get complaints(): string[] {
    const allowed = this.#steps.filter(({ word }) => word === "warns").map(({ text }) => text);
    return this.side.events.flatMap((event) =>
      event.type === "log" &&
      (event.level === "warn" || event.level === "error") &&
      !QUIRK.test(event.text) &&
      !allowed.includes(event.text)
        ? [event.text]
        : [],
    );
  }

  #do({ word, text }: Step): void {
    switch (word) {
      case "peer":
        return this.#send(this.#packetOf(text));
      case "us":
        return this.#expect(text);
      case "may":
        if (this.#came.length > 0 && patternOf(text).test(textOfPacket(this.#came[0]!))) this.#came.shift();
        return;
      case "wait":
        return this.#pass(Number(text));
      case "up":
        return this.#expectUp(text);
      case "down":
        if (this.side.link.networks.ipv4Up) throw new Error("IPv4 is still up");
        return;
      case "log":
        if (!this.side.lines.includes(text)) throw new Error(`not logged: ${text}`);
        return;
      case "warns":
        return;
      case "data":
        return this.#exchange(text);
      default:
        throw new Error(`no such line: ${word}`);
    }
  }

  // ── from the peer ────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * A packet in words or hex, or an answer to the link's last request: `ack LCP`, `reject LCP name …`, `protrej CCP`.
   */
  #packetOf(text: string): Uint8Array {
    const [answer, name, ...refused] = text.split(" ");
    if (answer !== "ack" && answer !== "reject" && answer !== "protrej") {
      const id = this.#lastId.get(protocolOf(/^\[(\w+)/.exec(text)?.[1] ?? "LCP"));
      return packetOf(text.replace(" id=* ", () => ` id=0x${id!.toString(16)} `));
    }
    const protocol = protocolOf(name!);
    const request = this.#lastRequest.get(protocol);
    if (request === undefined) throw new Error(`no request of ${name} came`);
    if (answer === "protrej") return protocolReject(request);
    const options = optionsOf(request, 6, request.length).options;
    const taken = answer === "ack" ? options : options.filter((option) => refused.includes(nameOf(protocol, option)));
    if (answer === "reject" && taken.length !== refused.length) throw new Error("not all of these were asked for");
    return configure(protocol, answer === "ack" ? Code.ConfAck : Code.ConfRej, request[3]!, taken);
  }

  #send(packet: Uint8Array): void {
    this.#heed(packet, "peer");
    this.side.take(this.#frame(u16(packet, 0), packet.subarray(2)), (this.#now += LATENCY_MS));
    this.#listen();
  }

  #frame(protocol: number, packet: Uint8Array): Uint8Array {
    const links = protocol === Protocol.LCP || !this.#open ? undefined : this.#linksFraming;
    const buf = new Uint8Array(HEADROOM + packet.length + 2);
    buf.set(packet, HEADROOM);
    const pcomp = links?.pcomp === true && this.#habits.includes("pcomp");
    const accomp = links?.accomp === true && this.#habits.includes("accomp");
    const at = putHeader(buf, HEADROOM, protocol, pcomp, accomp);
    const fcs = ~fcsOver(FCS_INIT, buf, at, buf.length - 2);
    buf[buf.length - 2] = fcs;
    buf[buf.length - 1] = fcs >>> 8;
    const map = this.#habits.find((word) => word.startsWith("escapes="))?.slice("escapes=".length);
    const escaped = escapeTable(links === undefined || map === undefined ? ACCM_ALL : Number(map) | links.asyncmap);
    const stuffed = [...buf.subarray(at)].flatMap((octet) => (escaped[octet] ? [ESCAPE, octet ^ TRANSPARENCY] : octet));
    return Uint8Array.of(...(this.#habits.includes("one-flag") ? [] : [FLAG]), ...stuffed, FLAG);
  }

  // ── from the link ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes all events of the link, and acts as its owner. */
  #listen(): void {
    const { side } = this;
    side.collect();
    for (; this.#eventsSeen < side.events.length; this.#eventsSeen++) {
      const event = side.events[this.#eventsSeen]!;
      if (event.type !== "pap-request") continue;
      const verdict = this.#peers.judgePap({
        user: event.user,
        password: event.password,
        tty: "ttyS1",
        ifname: "ppp0",
      });
      if (verdict instanceof Promise) throw new Error("a login that takes its time");
      const { accepted, message } = verdict;
      side.link.papVerdict(accepted, message, this.#now);
      side.collect();
    }
    const bytes = side.drain(this.#now);
    for (let at = 0; at < bytes.length;) {
      at = this.#deframer.push(bytes, at, bytes.length);
      if (this.#deframer.length === 0) continue;
      const packet = this.#unwrap(this.#deframer.frame.slice(0, this.#deframer.length));
      const isRepeated = this.#isLate && sameOctets(packet, this.#lastRequest.get(u16(packet, 0)));
      this.#heed(packet, "link");
      if (!isRepeated) this.#came.push(packet);
    }
    const { badFcs, runts, aborted } = this.#deframer.stats;
    // Control characters that the peer's map says to escape are dropped on reception.
    if (badFcs + runts + aborted > 0) throw new Error("a frame came that this peer cannot read");
  }

  /** The packet with its two octets of protocol. Nothing may be left out that the peer did not ask to leave out. */
  #unwrap(frame: Uint8Array): Uint8Array {
    const peers = this.#open ? this.#peersFraming : undefined;
    const whole = frame[0] === ADDRESS && frame[1] === CONTROL;
    const at = whole ? 2 : 0;
    const isShort = (frame[at]! & 1) === 1;
    const isLcp = !isShort && u16(frame, at) === Protocol.LCP;
    if (!whole && (peers?.accomp !== true || isLcp)) throw new Error("a frame came without address and control");
    if (isShort && peers?.pcomp !== true) throw new Error("a frame came with its protocol compressed");
    return isShort ? Uint8Array.of(0, ...frame.subarray(at)) : frame.slice(at);
  }

  /** Follows the agreement of LCP, and the last request of each side. */
  #heed(packet: Uint8Array, from: "peer" | "link"): void {
    const [protocol, code] = [u16(packet, 0), packet[2]];
    if (from === "link") {
      this.#lastId.set(protocol, packet[3]!);
      if (code === Code.ConfReq) this.#lastRequest.set(protocol, packet);
    }
    if (protocol === Protocol.CHAP) this.#traffic.heedChap(packet, from);
    if (protocol !== Protocol.LCP) return;
    if (code === Code.ConfReq && this.#open) this.#peersFraming = this.#linksFraming = undefined;
    // An Ack contains the options that the other side asked for.
    if (code === Code.ConfAck && from === "link") this.#peersFraming = framingOf(packet);
    if (code === Code.ConfAck && from === "peer") this.#linksFraming = framingOf(packet);
    this.#deframer.accm = this.#open ? this.#peersFraming!.asyncmap : ACCM_ALL;
  }

  get #open(): boolean {
    return this.#peersFraming !== undefined && this.#linksFraming !== undefined;
  }

  #expect(text: string): void {
    const packet = this.#came.shift();
    if (packet === undefined) throw new Error(`nothing came, but should have: ${text}`);
    const came = textOfPacket(packet);
    if (!patternOf(text).test(came)) throw new Error(`came ${came}\n  for ${text}`);
  }

  /** Lets time pass, timer by timer. */
  #pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    const { link } = this.side;
    for (let next; (next = link.nextTimeout()) <= end;) {
      this.#now = Math.max(this.#now, next);
      link.handleTimeout(this.#now);
      this.#listen();
    }
    this.#now = end;
  }

  // ── once it is up ────────────────────────────────────────────────────────────────────────────────────────────────

  #lastUp(): LinkEvent & { type: "ipv4-up" } {
    const up = this.side.events.findLast((event) => event.type === "ipv4-up");
    if (up === undefined || !this.side.link.networks.ipv4Up) throw new Error("IPv4 is not up");
    return up as LinkEvent & { type: "ipv4-up" };
  }

  #expectUp(text: string): void {
    const { our, peer, dns, wins } = this.#lastUp();
    const named = (name: string, servers: readonly number[]): string[] =>
      servers.some((server) => server !== 0) ? [name, ...servers.map((server) => ipv4Text(server))] : [];
    const is = [ipv4Text(our), ipv4Text(peer), ...named("dns", dns), ...named("wins", wins)].join(" ");
    if (is !== text) throw new Error(`up with ${is}`);
  }

  #exchange(text: string): void {
    if (this.#came.length > 0) throw new Error(`not asked for: ${textOfPacket(this.#came[0]!)}`);
    const { our, peer } = this.#lastUp();
    const { side } = this;
    this.#traffic.exchange(text, { our, peer }, side.link.networks.datapath, {
      send: (packet) => {
        if (!side.send(packet, this.#now)) throw new Error("the link takes no packets");
        this.#listen();
        const frame = this.#came.shift();
        if (frame === undefined || this.#came.length > 0) throw new Error("not one frame for one packet");
        return frame;
      },
      receive: (protocol, packet) => {
        side.packets.length = 0;
        side.take(this.#frame(protocol, packet), (this.#now += LATENCY_MS));
        this.#listen();
        return side.packets[0];
      },
    });
  }
}

function sameOctets(one: Uint8Array, other: Uint8Array | undefined): boolean {
  return one.length === other?.length && one.every((octet, at) => octet === other[at]);
}

function configure(protocol: number, code: number, id: number, options: readonly ConfOption[]): Uint8Array {
  const buf = new Uint8Array(1500);
  buf[0] = protocol >>> 8;
  buf[1] = protocol;
  return buf.slice(0, putConfigure(buf, 2, code, id, options));
}

/** `*` stands for a part of a word, `**` for any words. */
function patternOf(text: string): RegExp {
  const any = (part: string) => (part === "*" ? "[^ >]*" : part === "**" ? ".*" : part.replace(SPECIAL, "\\$&"));
  return new RegExp(
    `^${text
      .split(/(\*\*?)/)
      .map(any)
      .join("")}$`,
  );
}

/** Its identifier does not matter. */
function protocolReject(packet: Uint8Array): Uint8Array {
  const length = packet.length + 4;
  const header = [Protocol.LCP >>> 8, Protocol.LCP & 0xff, Code.ProtRej, 0x7f, length >>> 8, length & 0xff];
  return Uint8Array.of(...header, ...packet);
}

/** The first word of an option, as in the log. */
function nameOf(protocol: number, option: ConfOption): string {
  return /<([^ >]+)/.exec(textOfPacket(configure(protocol, Code.ConfReq, 0, [option])))?.[1] ?? "";
}

function framingOf(ack: Uint8Array): Framing {
  const { options } = optionsOf(ack, 6, ack.length);
  const asyncmap = options.find(({ type }) => type === LcpOption.Asyncmap);
  return {
    asyncmap: (asyncmap && read32(asyncmap.value)) ?? ACCM_ALL,
    pcomp: options.some(({ type }) => type === LcpOption.Pcomp),
    accomp: options.some(({ type }) => type === LcpOption.Accomp),
  };
}
