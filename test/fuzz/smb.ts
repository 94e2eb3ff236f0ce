// Requests of SMB, damaged and cut anywhere: nothing throws, in any pieces the answers are the same, and no file stays open.

import { toHex } from "../../src/bytes/text.ts";
import { putText } from "../../src/files/smb/smb-text.ts";
import { Command, SmbPeer } from "../kit/smb-peer.ts";
import { Rng } from "../kit/rng.ts";
import type { FuzzInput, Target } from "./target.ts";

const PIECES = 16;

/** Each makes a message of a client that has a session and a tree. */
const REQUESTS: readonly ((peer: SmbPeer, rng: Rng) => Uint8Array)[] = [
  ...["\\a", "\\new file.txt", "\\sub\\inner", "\\srvsvc"].map(
    (name) =>
      (peer: SmbPeer, rng: Rng): Uint8Array =>
        peer.message(
          Command.NT_CREATE,
          (out) => {
            out.u8(0xff, 0);
            out.u16(0);
            out.u8(0);
            out.u16(2 * name.length);
            out.u32(0, 0, rng.pick([1, 3, 0x10003, 0x2000000]));
            out.u64(0);
            out.u32(0, 7, rng.below(6), rng.pick([0, 1, 0x40, 0x1000]), 2);
            out.u8(0);
          },
          (out) => putText(out, name, true),
        ),
  ),
  (peer, rng) =>
    peer.message(Command.READ_ANDX, (out) => {
      out.u8(0xff, 0);
      out.u16(0, 1 + rng.below(8));
      out.u32(rng.below(20));
      out.u16(rng.below(0x10000), 0);
      out.u32(0);
      out.u16(0);
      out.u32(0);
    }),
  (peer, rng) =>
    peer.message(
      Command.WRITE_ANDX,
      (out) => {
        out.u8(0xff, 0);
        out.u16(0, 1 + rng.below(8));
        out.u32(rng.below(100), 0);
        out.u16(0, 0, 0, 5, 63);
        out.u32(0);
      },
      (out) => out.put(Uint8Array.of(1, 2, 3, 4, 5)),
    ),
  (peer, rng) =>
    peer.message(Command.CLOSE, (out) => {
      out.u16(1 + rng.below(8));
      out.u32(0);
    }),
  (peer, rng) =>
    peer.message(
      rng.pick([0, 1, 2, 3, 6, 8, 9, 0xf, 0x10, 0x81, 0x83, 0x84]),
      (out) => out.u16(...Array.from({ length: 8 }, () => rng.below(8))),
      (out) => {
        out.u8(4);
        putText(out, rng.pick(["\\*", "\\a", "\\sub\\*.*", "\\x"]), true);
        out.u8(5);
        out.u16(0);
      },
    ),
  (peer, rng) =>
    peer.message(
      rng.pick([Command.RENAME, 0xa5]),
      (out) => out.u16(6, 0x104, 0, 0),
      (out) => {
        for (const name of ["\\a", "\\sub\\b"]) {
          out.u8(4);
          putText(out, name, true);
        }
      },
    ),
  (peer, rng) => transaction2(peer, rng.pick([3, 7, 8]), [1 + rng.below(8), rng.pick([1, 0x101, 0x102, 0x104])], ""),
  (peer, rng) => transaction2(peer, 5, [rng.pick([1, 0x101, 0x107, 0x108, 0x109]), 0, 0], "\\a"),
  (peer, rng) => transaction2(peer, 1, [0x16, 9, rng.below(16), rng.pick([1, 2, 0x101, 0x103, 0x104]), 0, 0], "\\*"),
  (peer, rng) => transaction2(peer, 2, [1 + rng.below(8), 9, 0x104, 0, 0, rng.below(16)], "a"),
  (peer, rng) =>
    peer.message(
      Command.LOCKING,
      (out) => {
        out.u8(0xff, 0);
        out.u16(0, 1 + rng.below(8));
        out.u8(0, 0);
        out.u32(0);
        out.u16(rng.below(2), 1);
      },
      (out) => out.u16(...Array.from({ length: 10 }, () => rng.below(4))),
    ),
  (peer) => rap(peer),
  (peer, rng) => remoteCall(peer, rng),
  (peer) =>
    peer.message(
      Command.NEGOTIATE,
      () => {},
      (out) => out.put(Buffer.from("\x02NT LM 0.12\0")),
    ),
  (peer) =>
    peer.message(
      Command.SESSION,
      (out) => {
        out.u8(0xff, 0);
        out.u16(0, 4356, 16, 0, 0, 0, 24, 24, 0, 0, 0, 0);
      },
      (out) => out.zeros(60),
    ),
];

function transaction2(peer: SmbPeer, call: number, words: readonly number[], name: string): Uint8Array {
  const parameters = Buffer.from(`${String.fromCharCode(...words)}${name}\0`, "utf16le");
  return peer.message(
    Command.TRANSACTION2,
    (out) => {
      out.u16(parameters.length, 16, 64, 16_000, 0, 0);
      out.u32(0);
      out.u16(0, parameters.length, 68, 16, 68 + parameters.length, 1, call);
    },
    (out) => {
      out.zeros(3);
      out.put(parameters);
      out.zeros(16);
    },
  );
}

/** NetShareEnum; on the disk's tree it is refused. */
function rap(peer: SmbPeer): Uint8Array {
  const parameters = Buffer.from("\0\0WrLeh\0B13BWz\0\x01\0\0\x10", "latin1");
  const name = Buffer.from("\0\\PIPE\\LANMAN\0", "utf16le").subarray(1);
  const at = 32 + 1 + 28 + 2 + name.length;
  return peer.message(
    0x25,
    (out) => {
      out.u16(parameters.length, 0, 64, 4000, 0, 0);
      out.u32(0);
      out.u16(0, parameters.length, at, 0, 0, 0);
    },
    (out) => {
      out.put(name);
      out.put(parameters);
    },
  );
}

const SERVICE = "c84f324b7016d30112785a47bf6ee18803000000";
const NDR = "045d888aeb1cc9119fe808002b10486002000000";
const CALLS = [
  `05000b03100000004800000001000000b810b810000000000100000000000100${SERVICE}${NDR}`,
  "05000003100000003c000000010000002400000000000f0000000000010000000100000000000200000000000000000000ffffff00000000",
  "0500000310000000300000000100000018000000000010000000000004000000000000000400000046004900010000000100000",
];

/** A message to the pipe of the server service, which the first requests may have opened. */
function remoteCall(peer: SmbPeer, rng: Rng): Uint8Array {
  const call = Buffer.from(rng.pick(CALLS), "hex");
  const name = Buffer.from("\0\\PIPE\\\0", "utf16le").subarray(1);
  const at = 32 + 1 + 32 + 2 + name.length;
  return peer.message(
    0x25,
    (out) => {
      out.u16(0, call.length, 0, 4000, 0, 0);
      out.u32(0);
      out.u16(0, 0, 0, call.length, at, 2, 0x26, 1 + rng.below(8));
    },
    (out) => {
      out.put(name);
      out.put(call);
    },
  );
}

function peerOf(seed: number): SmbPeer {
  const peer = new SmbPeer({ quota: 1000 });
  peer.folder.put("a", "0123456789");
  peer.folder.makeFolder(["sub"]);
  peer.folder.put("sub/long name \xe9.text", "x");
  if (seed % 7 === 0) return peer;
  return peer.begin(seed % 3 === 0 ? "IPC$" : "FILES");
}

function streamOf(peer: SmbPeer, rng: Rng, { mutations }: FuzzInput): Uint8Array {
  const octets: number[] = [];
  for (let piece = 0; piece < PIECES; piece++) {
    let message = rng.pick(REQUESTS)(peer, rng);
    for (const { kind, a, b } of mutations.filter((one) => one.piece === piece)) {
      const at = a % message.length;
      if (kind === "flip") message[at]! ^= 1 << (b & 7);
      else if (kind === "octet") message[at] = b & 0xff;
      else if (kind === "cut") message = message.slice(0, at);
      else
        message = Uint8Array.from([...message.subarray(0, at), ...new Rng(b).bytes(a % 40), ...message.subarray(at)]);
    }
    octets.push(0, 0, message.length >>> 8, message.length & 0xff, ...message);
  }
  return Uint8Array.from(octets);
}

export const SMB: Target = {
  name: "smb",
  kinds: ["flip", "octet", "cut", "noise"],
  pieces: PIECES,
  run(input: FuzzInput) {
    const rng = new Rng(input.seed);
    const [whole, cut] = [peerOf(input.seed), peerOf(input.seed)];
    const stream = streamOf(whole, rng, input);
    const [one, other] = [whole.octets(stream), cut.octets(stream, 1 + rng.below(40))];
    if (toHex(one) !== toHex(other)) throw new Error("the pieces make a difference");
    for (const { connection, folder, site } of [whole, cut]) {
      connection.cut();
      if (folder.open_ !== 0) throw new Error(`${folder.open_} files stay open`);
      if (site.held !== 0) throw new Error(`${site.held} names stay held`);
    }
    return stream.length;
  },
};
