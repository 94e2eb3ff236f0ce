// A client of SMB in memory: messages go into an SmbConnection, and what it answers is read.

import { Chores } from "../../src/files/chores.ts";
import type { Folder } from "../../src/files/folder.ts";
import { Quota } from "../../src/files/quota.ts";
import { Fields } from "../../src/files/smb/fields.ts";
import { Octets } from "../../src/files/smb/octets.ts";
import { OpenTable } from "../../src/files/smb/open-table.ts";
import { Prover } from "../../src/files/smb/prover.ts";
import { SmbConnection } from "../../src/files/smb/smb-connection.ts";
import type { SmbSite } from "../../src/files/smb/smb-site.ts";
import { putText } from "../../src/files/smb/smb-text.ts";
import { MemoryFolder } from "./memory-folder.ts";

export interface SmbAnswer {
  readonly command: number;
  readonly status: number;
  readonly tid: number;
  readonly uid: number;
  readonly words: Fields;
  readonly data: Fields;
  readonly message: Uint8Array;
}

/** What a client of NT sends in its flags. */
const FLAGS2 = 0xc001;
const NOTHING = new Uint8Array(0);

export const Command = {
  WRITE: 0x0b,
  TRANSACTION2: 0x32,
  LOCKING: 0x24,
  CLOSE: 0x04,
  DELETE: 0x06,
  RENAME: 0x07,
  CHECK_FOLDER: 0x10,
  READ_ANDX: 0x2e,
  WRITE_ANDX: 0x2f,
  TREE: 0x75,
  NEGOTIATE: 0x72,
  SESSION: 0x73,
  NT_CREATE: 0xa2,
  SEARCH: 0x81,
  ECHO: 0x2b,
} as const;

const wall = (): number => Math.floor(Date.now() / 1000);

interface ShareFacts {
  readonly isWritable?: boolean;
  readonly quota?: number;
  readonly users?: readonly (readonly [name: string, password: string])[];
}

function siteOf(folder: Folder, { isWritable = true, quota = Infinity, users }: ShareFacts = {}): SmbSite {
  return {
    folder,
    isWritable,
    quota: new Quota(folder, quota, wall, new Chores()),
    opens: new OpenTable(),
    prover: users && new Prover(users, wall),
    name: "SERVER",
    wall,
    zoneAt: () => 0,
    random: (bytes) => bytes.fill(7),
    held: 0,
    missing: 0,
  };
}

export class SmbPeer {
  readonly folder: MemoryFolder;
  readonly site: SmbSite;
  readonly connection: SmbConnection;
  tid = 0;
  uid = 0;
  pid = 1;
  flags2 = FLAGS2;
  now = 1000;

  constructor(facts: ShareFacts = {}, folder = new MemoryFolder(), site = siteOf(folder, facts)) {
    this.folder = folder;
    this.site = site;
    this.connection = new SmbConnection(site, this.now);
  }

  get isUnicode(): boolean {
    return (this.flags2 & 0x8000) !== 0;
  }

  message(command: number, words: (out: Octets) => void, data: (out: Octets) => void = () => {}): Uint8Array {
    const out = new Octets();
    out.u8(0xff, 0x53, 0x4d, 0x42, command);
    out.u32(0);
    out.u8(0x18);
    out.u16(this.flags2);
    out.zeros(12);
    out.u16(this.tid, this.pid, this.uid, 7);
    const wordsAt = out.length;
    out.u8(0);
    words(out);
    out.setU8(wordsAt, (out.length - wordsAt - 1) / 2);
    const countAt = out.length;
    out.u16(0);
    data(out);
    out.setU16(countAt, out.length - countAt - 2);
    return out.written.slice();
  }

  /** Octets of answers to these octets. */
  octets(bytes: Uint8Array, piece = Infinity): Uint8Array {
    const answers: number[] = [];
    const into = new Uint8Array(700);
    const collect = (): void => {
      while (this.connection.wantsOutput)
        answers.push(...into.subarray(0, this.connection.transmit(into, 0, into.length, this.now)));
    };
    for (let at = 0; at < bytes.length && this.connection.wantsInput;) {
      const end = Math.min(bytes.length, at + piece);
      this.connection.receive(bytes, at, end, this.now);
      at = end;
      collect();
    }
    return Uint8Array.from(answers);
  }

  /** Undefined: there is no answer. */
  send(message: Uint8Array): SmbAnswer | undefined {
    const frame = Uint8Array.of(
      0,
      message.length >>> 16,
      (message.length >>> 8) & 0xff,
      message.length & 0xff,
      ...message,
    );
    const answer = this.octets(frame);
    return answer.length === 0 ? undefined : answerIn(answer.subarray(4));
  }

  ask(command: number, words: (out: Octets) => void, data?: (out: Octets) => void): SmbAnswer {
    const answer = this.send(this.message(command, words, data));
    if (answer === undefined) throw new Error(`no answer to ${command.toString(16)}`);
    return answer;
  }

  /** Negotiates, begins a session and connects to a share. */
  begin(share = "FILES", dialects: readonly string[] = ["PC NETWORK PROGRAM 1.0", "NT LM 0.12"]): this {
    this.negotiate(dialects);
    this.uid = this.session().uid;
    this.tid = this.tree(share).tid;
    return this;
  }

  negotiate(dialects: readonly string[]): SmbAnswer {
    return this.ask(
      Command.NEGOTIATE,
      () => {},
      (out) => {
        for (const dialect of dialects) {
          out.u8(2);
          putText(out, dialect, false);
        }
      },
    );
  }

  session(user = "", lm: Uint8Array = NOTHING, nt: Uint8Array = NOTHING, domain = ""): SmbAnswer {
    return this.ask(
      Command.SESSION,
      (out) => {
        out.u8(0xff, 0);
        out.u16(0, 16_644, 16, 0);
        out.u32(0);
        out.u16(lm.length, nt.length);
        out.u32(0, 0);
      },
      (out) => {
        out.put(lm);
        out.put(nt);
        for (const text of [user, domain, "", ""]) putText(out, text, this.isUnicode);
      },
    );
  }

  tree(share: string): SmbAnswer {
    return this.ask(
      Command.TREE,
      (out) => {
        out.u8(0xff, 0);
        out.u16(0, 0, 0);
      },
      (out) => {
        putText(out, `\\\\server\\${share}`, this.isUnicode);
        putText(out, "?????", false);
      },
    );
  }

  open(
    name: string,
    wish: { access?: number; share?: number; disposition?: number; options?: number } = {},
  ): SmbAnswer {
    const { access = 3, share = 7, disposition = 1, options = 0 } = wish;
    return this.ask(
      Command.NT_CREATE,
      (out) => {
        out.u8(0xff, 0);
        out.u16(0);
        out.u8(0);
        out.u16((this.isUnicode ? 2 : 1) * name.length);
        out.u32(0, 0, access);
        out.u64(0);
        out.u32(0, share, disposition, options, 2);
        out.u8(0);
      },
      (out) => putText(out, name, this.isUnicode),
    );
  }

  /** The number of an open file. */
  fid(name: string, wish: Parameters<SmbPeer["open"]>[1] = {}): number {
    const { words, status } = this.open(name, wish);
    if (status !== 0) throw new Error(`${name}: ${status.toString(16)}`);
    words.skip(5);
    return words.u16();
  }

  write(fid: number, offset: number, octets: Uint8Array): SmbAnswer {
    return this.ask(
      Command.WRITE_ANDX,
      (out) => {
        out.u8(0xff, 0);
        out.u16(0, fid);
        out.u32(offset, 0);
        out.u16(0, 0, 0, octets.length, 32 + 1 + 28 + 2);
        out.u32(0);
      },
      (out) => out.put(octets),
    );
  }

  read(fid: number, offset: number, count: number): { readonly status: number; readonly octets: Uint8Array } {
    const { words, status, message } = this.ask(Command.READ_ANDX, (out) => {
      out.u8(0xff, 0);
      out.u16(0, fid);
      out.u32(offset);
      out.u16(count, 0);
      out.u32(0);
      out.u16(0);
      out.u32(0);
    });
    words.skip(10);
    const [length, at] = [words.u16(), words.u16()];
    return { status, octets: message.subarray(at, at + length) };
  }

  close(fid: number): SmbAnswer {
    return this.ask(Command.CLOSE, (out) => {
      out.u16(fid);
      out.u32(0);
    });
  }

  /** A command with names, each after an octet that says so. */
  named(command: number, words: readonly number[], ...names: readonly string[]): SmbAnswer {
    return this.ask(
      command,
      (out) => out.u16(...words),
      (out) => {
        for (const name of names) {
          out.u8(4);
          putText(out, name, this.isUnicode);
        }
      },
    );
  }

  transaction2(call: number, parameters: (out: Octets) => void, data: (out: Octets) => void = () => {}): SmbAnswer {
    const [one, other] = [new Octets(), new Octets()];
    parameters(one);
    data(other);
    const at = 32 + 1 + 30 + 2 + 3;
    return this.ask(
      Command.TRANSACTION2,
      (out) => {
        out.u16(one.length, other.length, 64, 16_000, 0, 0);
        out.u32(0);
        out.u16(0, one.length, at, other.length, at + one.length, 1, call);
      },
      (out) => {
        out.zeros(3);
        out.put(one.written);
        out.put(other.written);
      },
    );
  }
}

export function answerIn(message: Uint8Array): SmbAnswer {
  const head = new Fields(message);
  head.skip(4);
  const command = head.u8();
  const status = head.u32();
  head.skip(15);
  const tid = head.u16();
  head.skip(2);
  const uid = head.u16();
  head.skip(2);
  const words = new Fields(message, 33, 33 + 2 * message[32]!);
  const data = new Fields(message, words.end + 2, message.length, 0);
  return { command, status, tid, uid, words, data, message };
}
