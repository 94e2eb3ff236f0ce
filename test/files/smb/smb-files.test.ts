import { expect, test } from "bun:test";
import { stableNames } from "../../../src/files/smb/stable-names.ts";
import { Command, SmbPeer } from "../../kit/smb-peer.ts";

const COLLISION = 0xc0000035;
const DENIED = 0xc0000022;
const SHARING = 0xc0000043;

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

test("a file is made, written, read and removed, whatever the case of its name", () => {
  const peer = new SmbPeer().begin();
  const fid = peer.fid("\\Gr\u00fc\u00dfe.txt", { disposition: 2 });
  expect(peer.write(fid, 0, bytes("hello")).status).toBe(0);
  expect(peer.write(fid, 3, bytes("p me")).status).toBe(0);
  peer.close(fid);
  expect(peer.folder.text("Gr\u00c3\u00bc\u00c3\u009fe.txt")).toBe("help me");
  expect(peer.open("\\GR\u00dc\u00dfE.TXT", { disposition: 2 }).status).toBe(COLLISION);
  const again = peer.fid("\\gr\u00fc\u00dfE.TXT", { share: 3 });
  expect(Buffer.from(peer.read(again, 2, 100).octets).toString()).toBe("lp me");
  expect(peer.read(again, 99, 10).octets.length).toBe(0);
  expect(peer.named(Command.DELETE, [6], "\\GR\u00dc\u00dfE.TXT").status).toBe(SHARING);
  peer.close(again);
  expect(peer.named(Command.DELETE, [6], "\\GR\u00dc\u00dfE.TXT").status).toBe(0);
  expect(peer.folder.names).toEqual([]);
});

test("nothing is written where that is not allowed, and nothing above the quota", () => {
  const reading = new SmbPeer({ isWritable: false }).begin();
  reading.folder.put("a", "x");
  expect(reading.open("\\a", { access: 1 }).status).toBe(0);
  for (const wish of [{ access: 2 }, { disposition: 5 }, { disposition: 2, access: 1 }, { access: 0x10000 }])
    expect(reading.open(wish.disposition === 2 ? "\\new" : "\\a", wish).status).toBe(DENIED);
  expect(reading.named(Command.RENAME, [6], "\\a", "\\b").status).toBe(DENIED);
  expect(reading.named(Command.DELETE, [6], "\\*").status).toBe(DENIED);
  expect(reading.folder.names).toEqual(["a"]);
  const full = new SmbPeer({ quota: 10 }).begin();
  const fid = full.fid("\\a", { disposition: 2 });
  expect(full.write(fid, 0, bytes("0123456789")).status).toBe(0);
  expect(full.write(fid, 5, bytes("abcdef")).status).toBe(0xc000007f);
  expect(full.write(fid, 5, bytes("abcde")).status).toBe(0);
  expect(full.folder.text("a")).toBe("01234abcde");
});

test("files that were removed while they are open count until they are closed", () => {
  const peer = new SmbPeer({ quota: 10 }).begin();
  const [first, second] = [peer.fid("\\a", { disposition: 2 }), peer.fid("\\b", { disposition: 2 })];
  expect(peer.write(first, 0, bytes("01234567")).status).toBe(0);
  expect(peer.named(Command.DELETE, [6], "\\a").status).toBe(0);
  expect(peer.write(second, 0, bytes("0123")).status).toBe(0xc000007f);
  expect(peer.write(first, 8, bytes("89a")).status).toBe(0xc000007f);
  peer.close(first);
  expect(peer.folder.names).toEqual(["b"]);
  expect(peer.write(second, 0, bytes("0123456789")).status).toBe(0);
});

test("a link that is removed frees nothing", () => {
  for (const removes of [
    (peer: SmbPeer): void => void peer.named(Command.DELETE, [6], "\\link"),
    (peer: SmbPeer): void => void peer.close(peer.fid("\\link", { access: 0x10001, options: 0x1000 })),
  ]) {
    const peer = new SmbPeer({ quota: 10 });
    for (const name of ["a", "link"]) peer.folder.put(name, "01234567");
    peer.folder.links.add("link");
    peer.begin();
    const fid = peer.fid("\\b", { disposition: 2 });
    removes(peer);
    expect(peer.folder.names).toEqual(["a", "b"]);
    expect(peer.write(fid, 0, bytes("0123")).status).toBe(0xc000007f);
  }
});

test("a refused LOCK_AND_READ leaves no lock, and a refused creation no file", () => {
  const peer = new SmbPeer().begin();
  const fid = peer.fid("\\a", { disposition: 2, access: 2, share: 4 });
  const locked = peer.ask(0x13, (out) => {
    out.u16(fid, 4);
    out.u32(0);
    out.u16(0);
  });
  const unlocked = peer.ask(0x0d, (out) => {
    out.u16(fid);
    out.u32(4, 0);
  });
  expect([locked.status, unlocked.status]).toEqual([DENIED, 0xc000007e]);
  expect(peer.named(Command.DELETE, [6], "\\a").status).toBe(0);
  for (const options of [0, 1]) expect(peer.open("\\a", { disposition: 2, options }).status).toBe(SHARING);
  expect(peer.folder.names).toEqual([]);
});

test("what the quota refuses is answered, also when it came in several messages", () => {
  const peer = new SmbPeer({ quota: 10 }).begin();
  const fid = peer.fid("\\a", { disposition: 2 });
  const setEnd = (size: number): number => {
    const first = peer.ask(
      Command.TRANSACTION2,
      (out) => {
        out.u16(6, 8, 64, 100, 0, 0);
        out.u32(0);
        out.u16(0, 6, 68, 0, 0, 1, 8);
      },
      (out) => {
        out.zeros(3);
        out.u16(fid, 0x104, 0);
      },
    );
    expect(first.status).toBe(0);
    const { status } = peer.ask(
      0x33,
      (out) => out.u16(6, 8, 0, 0, 0, 8, 56, 0, 0),
      (out) => {
        out.zeros(3);
        out.u64(size);
      },
    );
    return status;
  };
  expect(setEnd(20)).toBe(0xc000007f);
  expect(setEnd(0)).toBe(0);
});

test("names that lead out or that no file of Windows has are refused", () => {
  const peer = new SmbPeer().begin();
  peer.folder.put(".nullmodem-part-x", "secret");
  for (const name of ["\\..\\a", "\\a:stream", "\\a\\b\\..", "\\.nullmodem-part-x", "\\a?", "\\\u0001"])
    for (const disposition of [1, 2, 5]) expect(peer.open(name, { disposition }).status).toBe(0xc0000033);
});

test("what others share, and what they have locked", () => {
  const one = new SmbPeer().begin();
  const other = new SmbPeer({}, one.folder, one.site).begin();
  one.folder.put("a", "0123456789");
  const held = one.fid("\\a", { share: 1 });
  expect(other.open("\\a", { access: 2 }).status).toBe(SHARING);
  expect(other.open("\\a", { access: 1, share: 1 }).status).toBe(SHARING);
  expect(other.open("\\a", { access: 1, share: 3 }).status).toBe(0);
  one.close(held);
  const [mine, yours] = [one.fid("\\a"), other.fid("\\a")];
  const lock = (peer: SmbPeer, fid: number, from: number, count: number): number =>
    peer.ask(
      Command.LOCKING,
      (out) => {
        out.u8(0xff, 0);
        out.u16(0, fid);
        out.u8(0, 0);
        out.u32(0);
        out.u16(0, 1);
      },
      (out) => {
        out.u16(1);
        out.u32(from, count);
      },
    ).status;
  expect(lock(one, mine, 2, 3)).toBe(0);
  expect(lock(other, yours, 4, 1)).toBe(0xc0000055);
  expect(lock(other, yours, 5, 1)).toBe(0);
  expect(other.read(yours, 0, 4).status).toBe(0xc0000054);
  expect(other.write(yours, 4, bytes("x")).status).toBe(0xc0000054);
  expect(one.write(mine, 4, bytes("x")).status).toBe(0);
  one.close(mine);
  expect(other.read(yours, 0, 4).status).toBe(0);
});

test("a folder is listed in parts, and each entry comes once", () => {
  const peer = new SmbPeer().begin();
  const names = Array.from({ length: 500 }, (_, at) => `a file with a long name ${at}.text`);
  for (const name of names) peer.folder.put(name, "x");
  peer.folder.put("bad:name", "x");
  const found: string[] = [];
  const take = (answer: ReturnType<SmbPeer["ask"]>, isFirst: boolean): { sid: number; isEnd: boolean } => {
    expect([answer.status, answer.message.length <= 4356]).toEqual([0, true]);
    const { words, message } = answer;
    words.skip(8);
    const at = words.u16();
    words.skip(4);
    const view = new DataView(message.buffer, message.byteOffset);
    let from = words.u16();
    const head = isFirst ? 2 : 0;
    const count = view.getUint16(at + head, true);
    for (let one = 0; one < count; one++) {
      const length = view.getUint32(from + 60, true);
      found.push(Buffer.from(message.subarray(from + 94, from + 94 + length)).toString("utf16le"));
      from += view.getUint32(from, true);
    }
    return { sid: view.getUint16(at, true), isEnd: view.getUint16(at + head + 2, true) !== 0 };
  };
  const first = peer.transaction2(1, (out) => {
    out.u16(0x16, 1000, 6, 0x104);
    out.u32(0);
    out.put(Buffer.from("\\*\0", "utf16le"));
  });
  const { sid } = take(first, true);
  for (let isEnd = false; !isEnd;)
    ({ isEnd } = take(
      peer.transaction2(2, (out) => {
        out.u16(sid, 1000, 0x104);
        out.u32(0);
        out.u16(0xe, 0);
      }),
      false,
    ));
  expect(found.filter((name) => names.includes(name)).length).toBe(500);
  expect(found.filter((name) => !names.includes(name))).toEqual([expect.stringMatching(/^BAD~[0-9A-Z]{4}$/)]);
  expect(peer.site.held).toBe(0);
});

test("short names stay those of their files when others are deleted", () => {
  const peer = new SmbPeer().begin();
  const names = Array.from({ length: 300 }, (_, at) => `a file with a long name ${at}.text`);
  for (const name of names) peer.folder.put(name, name);
  const aliases = stableNames(names);
  expect(new Set(aliases.values()).size).toBe(300);
  for (const alias of aliases.values()) expect(alias).toMatch(/^AFI~[0-9A-Z]{4}\.TEX$/);
  // Every other one, in the order of the list.
  for (const name of names.filter((_, at) => at % 2 === 0))
    expect(peer.named(Command.DELETE, [6], `\\${aliases.get(name)}`).status).toBe(0);
  expect(peer.folder.names).toEqual(names.filter((_, at) => at % 2 === 1).sort());
});
