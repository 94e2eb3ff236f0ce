// The presets of `peer NAME` with the scripted peers of their make. A preset changes what we ask for, so each script is
// played with these changes. All others of its lines stay.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { presetNamed } from "../../src/options/presets.ts";
import { readScript, ScriptedPeer } from "../kit/scripted-peer.ts";

const FOLDER = join(import.meta.dir, "../../fixtures/peers");

type Change = readonly [from: string | RegExp, to: string];

const NO_IPV6: readonly Change[] = [
  [/^us: \[IPV6CP ConfReq .*\n/gm, ""],
  [/^peer: protrej IPV6CP\n/gm, ""],
];
const NO_CCP: readonly Change[] = [
  [/^us: \[CCP ConfReq id=0x1 <deflate .*\n/m, ""],
  ["peer: protrej CCP\n", ""],
];
const OURS = "<deflate 15> <deflate(old#) 15> <bsd v1 15>";
const MPPC = "<mppe -H -M -S -L -D +C>";

/** Windows takes our first request for compression. */
const ASKS_MPPC: readonly Change[] = [
  [`us: [CCP ConfReq id=0x1 ${OURS}]`, `us: [CCP ConfReq id=0x1 ${MPPC}]`],
  [/^peer: reject CCP deflate deflate\(old#\) bsd\nus: \[CCP ConfReq id=0x2.*\n/m, ""],
];

const ASKED_AFTERWARDS: Change = [`peer: [CCP ConfNak id=0x2 ${MPPC}]\nus: [CCP ConfReq id=0x3 ${MPPC}]\n`, ""];
const STAC = "< 11 05 00 01 04>";

const CASES: readonly [preset: string, script: string, ...Change[]][] = [
  ["win95", "windows-95", ...NO_IPV6, ...ASKS_MPPC],
  [
    "win98",
    "windows-98",
    ...NO_IPV6,
    ...ASKS_MPPC,
    // The script forbids MPPC to show Stac.
    [" nomppc", ""],
    [`us: [CCP ConfRej id=0x3 ${MPPC}]`, `us: [CCP ConfRej id=0x3 ${STAC}]`],
    [`peer: [CCP ConfReq id=0x5 ${STAC}]`, `peer: [CCP ConfReq id=0x5 ${MPPC}]`],
    [`us: [CCP ConfAck id=0x5 ${STAC}]`, `us: [CCP ConfAck id=0x5 ${MPPC}]`],
    ["log: Stac LZS", "log: MPPC"],
    [/lzs 4/g, "mppc"],
  ],
  ["winnt", "windows-nt-server", ...NO_IPV6, [OURS, MPPC], [OURS, MPPC]],
  ["win2000", "windows-2000", ...NO_IPV6, ...ASKS_MPPC, ASKED_AFTERWARDS],
  [
    "winxp",
    "windows-xp",
    ...NO_IPV6,
    // Encryption with compression inside.
    [/<mppe \+H -M \+S -L -D -C>/g, "<mppe +H -M +S -L -D +C>"],
    ["stateless compression", "stateless MPPC compression"],
    // The scripts' traffic has no compression inside encryption. test/compress/mppe.test.ts has.
    ["data: us mppe 128, peer mppe 128", ""],
  ],
  ["win7", "windows-7", ...ASKS_MPPC],
  ["wince", "windows-mobile", ...ASKS_MPPC, ASKED_AFTERWARDS],
  ["esp32", "esp32-server", ...NO_CCP],
  ["esp32", "lwip-client", ...NO_CCP],
  [
    "huawei",
    "umts-modem",
    ...NO_CCP,
    // It is asked for everything at once, and for no header compression.
    [
      "<compress VJ 0f 01> <addr 0.0.0.0>]",
      "<addr 0.0.0.0> <ms-dns1 0.0.0.0> <ms-dns2 0.0.0.0> <ms-wins 0.0.0.0> <ms-wins 0.0.0.0>]",
    ],
    [/<compress VJ 0f 01> /g, ""],
    [/peer: reject IPCP compress\nus: \[IPCP ConfReq id=0x4 .*\n/, ""],
    ["ConfNak id=0x4", "ConfNak id=0x3"],
    ["ConfReq id=0x5", "ConfReq id=0x4"],
  ],
  ["amiga", "ka9q-nos", ...NO_IPV6],
  ["mac", "ka9q-nos", ...NO_IPV6, ...NO_CCP],
  ["dos", "ka9q-nos", ...NO_IPV6, ...NO_CCP],
];

function play(preset: string, script: string, changes: readonly Change[]): void {
  const text = readFileSync(join(FOLDER, `${script}.txt`), "utf8");
  const changed = changes.reduce((all, [from, to]) => {
    const next = all.replace(from, to);
    if (next === all) throw new Error(`${script}: there is no ${from}`);
    return next;
  }, text);
  new ScriptedPeer(readScript(changed.replace(/^options: /m, `options: peer ${preset} `))).play();
}

test.each(CASES)("peer %s has a link with %s", (preset, script, ...changes) => {
  expect(presetNamed(preset)).toBeDefined();
  play(preset, script, changes);
});
