// IPCP over its table of options (options/ipcp-options.ts): it asks a silent peer for its address, and checks the
// agreement (RFC 1332, RFC 1877).

import { Code, type ConfOption, option32, type OptionList } from "../wire/control.ts";
import { ipv4Text } from "../wire/ip.ts";
import { IpcpOption, type Vj } from "../wire/ipcp.ts";
import { Protocol } from "../wire/protocols.ts";
import type { Answer, Dialect, Limits, Lower } from "./dialect.ts";
import { OLD_VJ_TERMS } from "./options/ipcp/header-compression.ts";
import type { IpcpHost } from "./options/ipcp/ipcp-row.ts";
import { IPCP_OPTIONS, type IpcpAsked, type IpcpHeard, type IpcpOptionsConfig } from "./options/ipcp-options.ts";
import { OptionTalk } from "./options/option-row.ts";

export interface IpcpConfig extends IpcpOptionsConfig {
  /** The peer's address. 0: the peer names it. */
  readonly peer: number;
  /** Accept a peer without an address (noremoteip). */
  readonly noRemote: boolean;
  readonly limits: Limits;
}

/** The agreement. An address of 0 was not agreed on. */
export interface IpcpResult {
  our: number;
  peer: number;
  dns: readonly [number, number];
  wins: readonly [number, number];
  /** Header compression in each direction. */
  vjReceive: Vj | undefined;
  vjTransmit: Vj | undefined;
}

export interface IpcpOwner {
  /** IPCP agreed. Returns the reason to close IPCP when the owner does not accept the agreement. */
  ipcpUp(result: IpcpResult, now: number): string | undefined;
  ipcpDown(now: number): void;
  ipcpFinished(now: number): void;
  /** Closes IPCP after up() has returned: the automaton is just changing to Opened. */
  closeIpcp(reason: string, now: number): void;
  /** The address for a peer when neither side has one for it. */
  madeUpPeerAddress(): number;
}

export class Ipcp implements Dialect {
  readonly name = "IPCP";
  readonly protocol = Protocol.IPCP;
  readonly #config: IpcpConfig;
  readonly #talk: OptionTalk<IpcpOptionsConfig, IpcpAsked, IpcpHeard, IpcpHost>;
  readonly #lower: Lower;
  readonly #owner: IpcpOwner;

  constructor(config: IpcpConfig, lower: Lower, owner: IpcpOwner) {
    this.#config = config;
    this.#lower = lower;
    this.#owner = owner;
    this.#talk = new OptionTalk(IPCP_OPTIONS, config, { wantPeer: config.peer });
  }

  get wantPeer(): number {
    return this.#talk.host.wantPeer;
  }

  /** The address that the secrets file has for the authenticated peer. */
  set wantPeer(address: number) {
    this.#talk.host.wantPeer = address;
  }

  reset(): void {
    this.#talk.reset();
  }

  request(): ConfOption[] {
    return this.#talk.request();
  }

  judge(list: OptionList, rejectOnly: boolean): Answer {
    const answer = this.#talk.judge(list, rejectOnly);
    const { address, noRemote } = this.#config;
    const { got } = this.#talk;
    const named = list.options.some(({ type }) => type === IpcpOption.Address || type === IpcpOption.Addresses);
    // A peer whose request has no address is asked for it once.
    if (answer.code === Code.ConfRej || named || !address || noRemote || rejectOnly || got.demandedAddress)
      return answer;
    got.demandedAddress = true;
    const options = answer.code === Code.ConfNak ? answer.options : [];
    return { code: Code.ConfNak, options: [...options, option32(IpcpOption.Address, this.wantPeer)] };
  }

  understands(options: readonly ConfOption[]): boolean {
    return this.#talk.understands(options);
  }

  naked(options: ConfOption[], asReject: boolean): void {
    for (const option of options) this.#talk.naked(option, asReject);
  }

  rejected(options: ConfOption[]): void {
    for (const option of options) this.#talk.rejected(option);
  }

  up(now: number): void {
    const reason = this.#settle(now);
    if (reason !== undefined) this.#owner.closeIpcp(reason, now);
  }

  /** Reports the agreement to the owner. Returns the reason when it is not accepted. */
  #settle(now: number): string | undefined {
    const config = this.#config;
    const { got, peer: heard } = this.#talk;
    const { wantPeer } = this;
    if (got.asks === "nothing" && config.sendAddress && (config.address || config.addresses) && config.our !== 0) {
      this.#lower.log("error", "Peer refused to agree to our IP address");
      const our = ipv4Text(config.our);
      this.#lower.log("error", `Here ${our} was given: ipcp-accept-local takes what the peer says, or give it :${our}`);
      return "Refused our IP address";
    }
    if (got.our === 0) {
      this.#lower.log("error", "Could not determine local IP address");
      this.#lower.log("error", "Neither end said it: give ADDRESS: at this end, or :ADDRESS at the other");
      return "Could not determine local IP address";
    }
    let peer = heard.address ?? wantPeer;
    if (peer === 0 && !config.noRemote) {
      peer = this.#owner.madeUpPeerAddress();
      this.#lower.log("warn", `Could not determine remote IP address: defaulting to ${ipv4Text(peer)}`);
    }
    if (config.peer !== 0 && peer !== wantPeer && !config.acceptRemote) {
      this.#lower.log("error", "Peer refused to agree to his IP address");
      const want = ipv4Text(wantPeer);
      this.#lower.log(
        "error",
        `Here :${want} was given: ipcp-accept-remote takes what the peer says, or give it ${want}:`,
      );
      return "Refused his IP address";
    }
    const vjReceive = got.oldVj === undefined ? got.vj : OLD_VJ_TERMS;
    return this.#owner.ipcpUp(
      {
        our: got.our,
        peer,
        dns: [got.dns1 ?? 0, got.dns2 ?? 0],
        wins: [got.wins1 ?? 0, got.wins2 ?? 0],
        vjReceive,
        // The kernel of a pppd that refused our compression cannot uncompress, even if that pppd asked for compressed
        // packets.
        vjTransmit: vjReceive && heard.vj,
      },
      now,
    );
  }

  down(now: number): void {
    this.#owner.ipcpDown(now);
  }

  finished(now: number): void {
    this.#owner.ipcpFinished(now);
  }
}
