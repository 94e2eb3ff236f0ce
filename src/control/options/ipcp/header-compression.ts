// IP-Compression-Protocol: Van Jacobson's header compression, in RFC 1332's form (§3.2) and in RFC 1172's.

import { u16 } from "../../../bytes/be.ts";
import type { ConfOption, Verdict } from "../../../wire/control.ts";
import { IpcpOption, OLD_VJ, oldVjOption, readCompression, type Vj, vjOption } from "../../../wire/ipcp.ts";
import { Protocol } from "../../../wire/protocols.ts";
import type { IpcpRow, IpcpTalk } from "./ipcp-row.ts";

/** The meaning of the option in RFC 1172's form. */
export const OLD_VJ_TERMS: Vj = { maxSlot: 15, compressSlot: true };

interface VjConfig {
  /** What we ask for, and the most that we agree to. Undefined: none (novj). */
  readonly vj: Vj | undefined;
}

/** What one side asks for. `oldVj` is the protocol number of a request in RFC 1172's form. */
interface VjTerms {
  vj: Vj | undefined;
  oldVj: number | undefined;
}

export const headerCompression: IpcpRow<VjConfig, VjTerms, VjTerms> = {
  type: IpcpOption.Compression,
  got: { vj: undefined, oldVj: undefined },
  peer: { vj: undefined, oldVj: undefined },
  describe: (packet, at, length) =>
    length >= 2 ? { text: `compress ${protocolText(u16(packet, at))}`, next: at + 2 } : undefined,
  start({ config, got }) {
    got.vj = config.vj;
    got.oldVj = undefined;
  },
  ask({ got: { vj, oldVj } }): ConfOption | undefined {
    if (oldVj !== undefined) return oldVjOption(oldVj);
    return vj === undefined ? undefined : vjOption(vj);
  },
  judge,
  /** The peer names other values: we take no more than we asked for, or RFC 1172's form. */
  naked(value, { got }, asReject) {
    if (asReject) {
      got.vj = got.oldVj = undefined;
      return;
    }
    const offer = readCompression(value);
    if (got.vj === undefined || offer === undefined) return;
    if (offer.vj !== undefined) {
      got.oldVj = undefined;
      got.vj = {
        maxSlot: Math.min(got.vj.maxSlot, offer.vj.maxSlot),
        compressSlot: got.vj.compressSlot && offer.vj.compressSlot,
      };
    } else if (isOldForm(value, offer.protocol)) got.oldVj = offer.protocol;
    else got.vj = got.oldVj = undefined;
  },
  /** A peer that asks for compression in RFC 1172's form may know no other form. */
  rejected({ got, peer }) {
    got.oldVj = got.oldVj === undefined ? peer.oldVj : undefined;
    if (got.oldVj === undefined) got.vj = undefined;
  },
};

function isOldForm(value: Uint8Array, protocol: number): boolean {
  return value.length === 2 && (protocol === Protocol.VJ_COMP || protocol === OLD_VJ);
}

function judge(value: Uint8Array, { config, peer }: IpcpTalk<VjConfig, VjTerms, VjTerms>): Verdict {
  const most = config.vj;
  const asked = readCompression(value);
  if (most === undefined || asked === undefined) return "reject";
  if (asked.vj === undefined) {
    if (!isOldForm(value, asked.protocol)) return "reject";
    peer.vj = OLD_VJ_TERMS;
    peer.oldVj = asked.protocol;
    return "ack";
  }
  const { maxSlot, compressSlot } = asked.vj;
  if (maxSlot > most.maxSlot || (compressSlot && !most.compressSlot))
    return vjOption({
      maxSlot: Math.min(maxSlot, most.maxSlot),
      compressSlot: compressSlot && most.compressSlot,
    });
  peer.vj = asked.vj;
  return "ack";
}

function protocolText(protocol: number): string {
  if (protocol === Protocol.VJ_COMP) return "VJ";
  if (protocol === OLD_VJ) return "old-VJ";
  return `0x${protocol.toString(16)}`;
}
