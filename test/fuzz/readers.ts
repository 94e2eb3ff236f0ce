// The readers of texts by users and peers: options files, secrets, chat scripts, record files, filters. Valid text is
// damaged. A reader must return, or throw the error for its user.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bytesOf, textOf } from "../../src/bytes/text.ts";
import { ChatEngine } from "../../src/chat/engine.ts";
import { parseScript } from "../../src/chat/script.ts";
import { type BpfInstruction, bpfProblem, BpfProgram } from "../../src/filter/bpf.ts";
import { OptionError, OptionExit } from "../../src/options/error.ts";
import { checkOptions } from "../../src/options/check.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { addressAllowed, addressList, findSecret, secretEntries } from "../../src/options/secrets.ts";
import { OPTIONS as TABLE } from "../../src/options/table.ts";
import { Capture } from "../../src/record/capture.ts";
import { Dump } from "../../src/record/record-dump.ts";
import { readRecord } from "../../src/record/pppdump-file.ts";
import { fakeHost } from "../kit/optionhost.ts";
import { Rng } from "../kit/rng.ts";
import type { FuzzInput, Mutation, Target } from "./target.ts";

const FIXTURES = join(import.meta.dir, "../../fixtures");
const KINDS = ["flip", "set", "cut", "lose", "twice", "noise", "line", "number"];
const NUMBERS = [
  "-1",
  "0",
  "255",
  "256",
  "65535",
  "65536",
  "2147483647",
  "4294967295",
  "4294967296",
  "0x7f",
  "1e9",
  "٣",
];
const NASTY = ['"', "'", "\\", "\n", " ", "\0", "#", "\t", "\r", "\\x", "\\^", "-", "--", "@", "\xff", "\xef\xbb\xbf"];

/** Applies the mutations to a text, one char an octet. */
function damaged(text: string, mutations: readonly Mutation[]): string {
  for (const { kind, a, b } of mutations) {
    const at = a % (text.length + 1);
    const before = text.slice(0, at);
    const after = text.slice(at);
    switch (kind) {
      case "flip":
        text = before + String.fromCharCode(((after.charCodeAt(0) || 0) ^ (1 << (b & 7))) & 255) + after.slice(1);
        break;
      case "set":
        text = before + NASTY[b % NASTY.length] + after.slice(1);
        break;
      case "cut":
        text = before;
        break;
      case "lose":
        text = before + after.slice(1 + (b % 40));
        break;
      case "twice":
        text = before + after.slice(0, 1 + (b % 200)) + after;
        break;
      case "noise":
        text = before + textOf(new Rng(b).bytes(b % 60)) + after;
        break;
      case "line": {
        const lines = text.split("\n");
        lines.splice(a % lines.length, 0, lines[b % lines.length]!);
        text = lines.join("\n");
        break;
      }
      case "number":
        text = text.replace(/\d+/, NUMBERS[b % NUMBERS.length]!);
        break;
    }
  }
  return text;
}

/** Runs a reader. Errors for its user are no failures. */
function reads(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof OptionError || error instanceof OptionExit)) throw error;
  }
}

function target(name: string, valid: (rng: Rng) => string, read: (text: string, rng: Rng) => void): Target {
  return {
    name,
    kinds: KINDS,
    pieces: 1,
    run({ seed, mutations }: FuzzInput): number {
      const rng = new Rng(seed);
      const text = damaged(valid(rng), mutations);
      read(text, rng);
      return text.length;
    },
  };
}

/** Words that may be the argument of the option. */
function wordsFor(rng: Rng, argument: boolean): string {
  if (!argument) return "";
  return ` ${rng.pick(["1", "0", "-1", "15,15", "/bin/true", '"a b"', "a-b", "10.0.0.1", "fe80::1", "1:2", "", '""', "x".repeat(300)])}`;
}

function someOptions(rng: Rng): string {
  const lines: string[] = [];
  for (let n = rng.below(20); n >= 0; n--) {
    const { row } = rng.pick(TABLE.entries);
    lines.push(`${row.name}${wordsFor(rng, row.argument)}`);
  }
  return `${lines.join("\n")}\n192.168.0.1:192.168.0.2\n/dev/ttyS1 115200 # cable\n`;
}

export const OPTIONS = target("options", someOptions, (text) =>
  reads(() => {
    const host = fakeHost({ files: { "/etc/ppp/options": text, "/etc/ppp/options.ttyS1": text } });
    checkOptions(parseOptions(["/dev/ttyS1"], host), host);
  }),
);

const SECRETS_TEXT = `# client server secret addresses
zaphod * gargleBlaster 10.0.0.0/8 !10.1.1.1 -- ms-dns 10.0.0.1
* * "" *
"two words" serv\\ er 'se"cret' -
* ppp_laplink_host @/etc/ppp/other 192.168.1.1/24+
`;

export const SECRETS = target(
  "secrets",
  () => SECRETS_TEXT,
  (text, rng) =>
    reads(() => {
      const source = { file: "/etc/ppp/pap-secrets", read: () => "one\n", warn: () => {} };
      for (const entry of secretEntries(text, source)) if (typeof entry !== "object") throw new Error("no entry");
      const found = findSecret(text, rng.pick(["zaphod", undefined, "two words"]), rng.pick(["*", undefined]), source);
      if (found === undefined) return;
      const resolver = { host: () => undefined, network: () => undefined, warn: () => {} };
      addressAllowed(addressList(found.addresses, resolver, 0), rng.u32());
    }),
);

const SCRIPTS = [
  "ABORT BUSY ABORT 'NO CARRIER' TIMEOUT 5 '' ATZ OK-+++\\c-OK ATDT\\T CONNECT '' ogin:--ogin: \\qme word: pw\\d\\r",
  "TIMEOUT 3600\nCLIENT CLIENTSERVER\\c\n",
  "REPORT CONNECT SAY 'hello\\n' ECHO ON HANGUP OFF '' @/etc/file \"a\\\"b\" \\K EOT BREAK \\p\\p \\s\\t\\N\\351^M\n# x\nCLR_ABORT BUSY",
];

export const CHAT = target(
  "chat",
  (rng) => rng.pick(SCRIPTS),
  (text, rng) => {
    const engine = new ChatEngine(parseScript(text), {
      verbose: rng.chance(0.5),
      echo: false,
      copy: false,
      timeout: 5,
    });
    let now = 0;
    for (let turn = 0; turn < 3000 && engine.result === undefined; turn++) {
      engine.handleTimeout(now);
      engine.transmit(() => rng.pick(["sent", "sent", "full"] as const), now);
      for (let event; (event = engine.takeEvent()) !== undefined;)
        if (event.type === "read")
          engine.provide(rng.chance(0.5) ? { text: "from a file" } : { error: "No such file" }, now);
      if (engine.listening && rng.chance(0.3))
        for (const octet of bytesOf(rng.pick(["OK\r\n", "CONNECT 9600\r\n", "login: ", "x", "\xff"])))
          engine.receive(octet, now);
      now += rng.pick([0, 1, 50, 1000]);
    }
    if (engine.nextTimeout() < now - 10_000_000) throw new Error("a deadline long gone");
  },
);

const RECORDS = ["ccp-bsdcomp-client.rec", "chap-md5-client.rec", "eap-server.rec"];
const recorded = new Map<string, string>();

function record(rng: Rng): string {
  const name = rng.pick(RECORDS);
  const text = recorded.get(name) ?? textOf(readFileSync(join(FIXTURES, "sessions", name)));
  recorded.set(name, text);
  return text;
}

export const RECORD = target("record", record, (text, rng) => {
  const file = bytesOf(text);
  const dump = new Dump({
    view: rng.pick(["text", "hex", "packets"] as const),
    reverse: rng.chance(0.2),
    decompress: rng.chance(0.5),
    absolute: rng.chance(0.5),
    mru: 1500,
    dateText: String,
    clockText: String,
  });
  const capture = new Capture({ reverse: false, decompress: rng.chance(0.5) });
  for (const item of readRecord(file)) {
    capture.item(item);
    dump.item(item);
  }
});

/** A program like libpcap's, as a text of numbers. */
function program(rng: Rng): string {
  const codes = [
    0x28, 0x30, 0x20, 0x15, 0x25, 0x45, 0x06, 0x05, 0x00, 0xb1, 0x48, 0x50, 0x40, 0x54, 0x74, 0x3c, 0x02, 0x60, 0x87,
    0x07,
  ];
  const lines = Array.from(
    { length: 1 + rng.below(20) },
    () => `${rng.pick(codes)} ${rng.below(4)} ${rng.below(4)} ${rng.below(64)}`,
  );
  return [...lines, "6 0 0 65535"].join("\n");
}

export const FILTER = target("filter", program, (text, rng) => {
  const instructions = text.split("\n").map((line): BpfInstruction => {
    const [code = 0, jt = 0, jf = 0, k = 0] = line.split(" ").map((word) => Number(word) >>> 0);
    return { code: code & 0xffff, jt: jt & 255, jf: jf & 255, k };
  });
  if (bpfProblem(instructions) !== undefined) return;
  const packet = rng.bytes(rng.below(200));
  const wanted = new BpfProgram(instructions).run(rng.pick([0, 1 << 24]) | 0x21, packet, 0, packet.length);
  if (!Number.isInteger(wanted)) throw new Error(`a filter returned ${wanted}`);
});
