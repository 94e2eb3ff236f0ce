import { expect, test } from "bun:test";
import { challengeResponse, lmPasswordHash, ntPasswordHash } from "../../../src/auth/mschap.ts";
import { md4 } from "../../../src/crypto/digests.ts";
import { Command, SmbPeer } from "../../kit/smb-peer.ts";

test("the newest dialect that both know, and none with users of the first one", () => {
  const chosen = (dialects: readonly string[], peer = new SmbPeer()): number => peer.negotiate(dialects).words.u16();
  const win95 = ["PC NETWORK PROGRAM 1.0", "MICROSOFT NETWORKS 3.0", "DOS LM1.2X002", "DOS LANMAN2.1"];
  expect(chosen([...win95, "Windows for Workgroups 3.1a", "NT LM 0.12"])).toBe(5);
  expect(chosen(win95)).toBe(3);
  expect(chosen(["PC NETWORK PROGRAM 1.0"])).toBe(0);
  expect(chosen(["SMB 2.002", "no such"])).toBe(0xffff);
  expect(chosen(["PC NETWORK PROGRAM 1.0"], new SmbPeer({ users: [["a", "b"]] }))).toBe(0xffff);
});

test("what may be under way at once leaves a line of 9600 bit/s within the 20 s that smbclient waits", () => {
  const { words } = new SmbPeer().negotiate(["NT LM 0.12"]);
  words.skip(3);
  const pending = words.u16();
  words.skip(2);
  const buffer = words.u32();
  words.skip(8);
  // Large reads and writes are not limited by the buffer.
  expect([(pending * buffer) / 960 < 15, words.u32() & 0xc000]).toEqual([true, 0]);
});

test("users prove that they know a password; guests need none", () => {
  const peer = new SmbPeer({ users: [["zaphod", "Gargle1"]] });
  peer.negotiate(["NT LM 0.12"]);
  const challenge = new Uint8Array(8).fill(7);
  const nt = challengeResponse(challenge, ntPasswordHash("Gargle1"));
  const lm = challengeResponse(challenge, lmPasswordHash("Gargle1"));
  const wrong = challengeResponse(challenge, ntPasswordHash("gargle1"));
  const none = new Uint8Array(0);
  expect(peer.tree("FILES").status).not.toBe(0);
  for (const [user, one, other, isGood] of [
    ["zaphod", lm, nt, true],
    ["ZAPHOD", lm, none, true],
    ["zaphod", none, nt, true],
    ["zaphod", none, wrong, false],
    ["zaphod", lm, wrong, false],
    ["ford", lm, nt, false],
    ["", none, none, false],
  ] as const)
    expect([user, peer.session(user, one, other).status === 0]).toEqual([user, isGood]);
  for (let at = 0; at < 30; at++) peer.session("zaphod", none, wrong);
  expect(peer.session("zaphod", lm, nt).status).toBe(0xc000006d);
  // The secrets file is of UTF-8, and Windows hashes the text.
  const other = new SmbPeer({ users: [["m\u00c3\u00bcller", "gr\u00c3\u00bcn"]] });
  other.negotiate(["NT LM 0.12"]);
  const hash = md4(Buffer.from("gr\u00fcn", "utf16le"));
  expect(other.session("M\u00dcLLER", none, challengeResponse(challenge, hash)).status).toBe(0);
  const guest = new SmbPeer().begin();
  expect([guest.uid > 0, guest.tid > 0]).toEqual([true, true]);
  expect(guest.tree("NOTHERE").status).toBe(0xc00000cc);
});

test("a password above 14 letters is not proven by its first 14", () => {
  const password = "Gargleblaster42xyz";
  const challenge = new Uint8Array(8).fill(7);
  const none = new Uint8Array(0);
  const session = (known: string, user: string): number => {
    const peer = new SmbPeer({ users: [["zaphod", known]] });
    peer.negotiate(["NT LM 0.12"]);
    return peer.session("zaphod", challengeResponse(challenge, lmPasswordHash(user)), none).status;
  };
  expect(session(password, password.slice(0, 14).toLowerCase())).toBe(0xc000006d);
  expect(session(password.slice(0, 14), password.slice(0, 14))).toBe(0);
  const peer = new SmbPeer({ users: [["zaphod", password]] });
  peer.negotiate(["NT LM 0.12"]);
  expect(peer.session("zaphod", none, challengeResponse(challenge, ntPasswordHash(password))).status).toBe(0);
});

/** Two messages as one. */
function chain(first: Uint8Array, second: Uint8Array): Uint8Array {
  const at = first.length + (first.length % 2);
  const both = new Uint8Array(at + second.length - 32);
  both.set(first);
  both.set(second.subarray(32), at);
  new DataView(both.buffer).setUint16(35, at, true);
  return both;
}

test("a file is opened and read in one message", () => {
  const peer = new SmbPeer().begin();
  peer.folder.put("a", "hello");
  const open = peer.message(
    0x2d,
    (out) => {
      out.u8(Command.READ_ANDX, 0);
      out.u16(0, 0, 0x40, 6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0);
    },
    (out) => {
      out.zeros(1);
      out.put(Buffer.from("\\a\0", "utf16le"));
    },
  );
  const read = peer.message(Command.READ_ANDX, (out) => {
    out.u8(0xff, 0);
    out.u16(0, 0xffff, 0, 0, 100, 0, 0, 0, 0);
  });
  const { status, message } = peer.send(chain(open, read))!;
  expect([status, Buffer.from(message).toString("latin1").endsWith("hello")]).toEqual([0, true]);
});

/** Reads of an open file in one message. `at` tells where the one after each of them is, counted from the message. */
function chainOfReads(peer: SmbPeer, fid: number, at: readonly number[]): Uint8Array {
  const block = 1 + 24 + 2;
  const one = peer.message(Command.READ_ANDX, (out) => {
    out.u8(Command.READ_ANDX, 0);
    out.u16(0, fid);
    out.u32(0);
    out.u16(0xf000, 0);
    out.u32(0);
    out.u16(0);
    out.u32(0);
  });
  const all = new Uint8Array(32 + block * at.length);
  all.set(one);
  const view = new DataView(all.buffer);
  for (const [count, next] of at.entries()) {
    all.set(one.subarray(32), 32 + block * count);
    view.setUint16(32 + block * count + 3, next, true);
  }
  return all;
}

test("a chain that goes back ends, and no answer is longer than a message can be", () => {
  const peer = new SmbPeer().begin();
  peer.folder.put("a", new Uint8Array(0xf000));
  const fid = peer.fid("\\a");
  const back = peer.send(chainOfReads(peer, fid, [32]))!;
  expect([back.status, back.message.length < 0x10000]).toEqual([0x00010002, true]);
  const ahead = Array.from({ length: 10 }, (_, count) => 32 + 27 * (count + 1));
  const answer = peer.send(chainOfReads(peer, fid, ahead))!;
  expect(answer.status).toBe(0xc000009a);
  expect(answer.message.length).toBeLessThanOrEqual(0x1ffff);
  // What follows is answered in its place.
  expect(peer.read(fid, 0, 5).octets.length).toBe(5);
});

test("a chain of commands is done in one message", () => {
  const peer = new SmbPeer();
  peer.negotiate(["NT LM 0.12"]);
  const session = peer.message(
    Command.SESSION,
    (out) => {
      out.u8(Command.TREE, 0);
      out.u16(0, 16_644, 16, 0);
      out.u32(0);
      out.u16(0, 0);
      out.u32(0, 0);
    },
    (out) => out.zeros(9),
  );
  const tree = peer.message(
    Command.TREE,
    (out) => {
      out.u8(0xff, 0);
      out.u16(0, 0, 0);
    },
    (out) => {
      out.align(2);
      out.put(Buffer.from("\\\\S\\FILES\0", "utf16le"));
      out.put(Buffer.from("A:\0"));
    },
  );
  const answer = peer.send(chain(session, tree))!;
  expect([answer.status, answer.words.u8()]).toEqual([0, Command.TREE]);
  expect([answer.uid > 0, answer.tid > 0]).toEqual([true, true]);
});

test("files are closed with their connection, and a silent one is closed when nothing is open", () => {
  const peer = new SmbPeer().begin();
  peer.folder.put("a", "x");
  const fid = peer.fid("\\a");
  expect(peer.folder.open_).toBe(1);
  peer.read(fid, 0, 1);
  expect(peer.connection.underWay).toEqual({ name: "a", to: "peer", octets: 1, of: 1 });
  peer.now += 6000;
  peer.connection.handleTimeout(peer.now);
  expect([peer.connection.isCarrying, peer.connection.underWay]).toEqual([false, undefined]);
  peer.now += 3_600_000;
  peer.connection.handleTimeout(peer.now);
  expect(peer.connection.isOver).toBe(false);
  expect([...peer.octets(new Uint8Array(0))]).toEqual([]);
  peer.connection.cut();
  expect(peer.folder.open_).toBe(0);
  const idle = new SmbPeer().begin();
  idle.connection.handleTimeout(idle.now + 3_600_000);
  expect(idle.connection.isOver).toBe(true);
});
