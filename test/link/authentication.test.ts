// Authentication between two Links: every method, in both directions, with right and wrong secrets.

import { expect, test } from "bun:test";
import type { AuthMethod } from "../../src/wire/auth-method.ts";
import type { MppeConfig } from "../../src/compress/methods/mppe-method.ts";
import type { LinkConfig } from "../../src/link/link-host.ts";
import { linkConfig, Pair, Side } from "../kit/pair.ts";
import { RawPeer } from "../kit/raw-peer.ts";
import { fcs16Oracle } from "../oracle/fcs32-oracle.ts";
import { Rng } from "../kit/rng.ts";

const METHODS: readonly AuthMethod[] = ["eap", "chap-md5", "mschap-v2", "mschap"];

interface End {
  name: string;
  secret?: string;
  demand?: readonly AuthMethod[];
  accept?: readonly AuthMethod[];
  peer?: string;
  chapIntervalMs?: number;
  mppe?: MppeConfig;
}

function config(our: number, peer: number, end: End): LinkConfig {
  const base = linkConfig();
  const { demand = [], accept = [], mppe, secret = "gargleBlaster" } = end;
  const off = { receive: 0, transmit: 0 };
  return {
    ...base,
    lcp: { ...base.lcp, demand, accept, authRequired: demand.length > 0 },
    authentication: {
      ...base.authentication,
      chap: { ...base.authentication.chap, intervalMs: end.chapIntervalMs ?? 0 },
      name: end.name,
      user: end.name,
      ourSecret: () => secret,
      peerSecret: (name) => (name === end.peer ? secret : undefined),
    },
    networks: {
      ...base.networks,
      ipcp: { ...base.networks.ipcp!, our, peer },
      ccp: mppe && {
        deflate: off,
        deflateDraft: false,
        bsd: off,
        predictor1: "accept",
        lzs: "accept",
        mppc: "accept",
        mppe,
        limits: base.lcp.limits,
      },
    },
  };
}

function pair(a: End, b: End): Pair {
  const rng = new Rng(7);
  return new Pair(new Side(config(0xc0a80001, 0xc0a80101, a), rng), new Side(config(0, 0, b), rng));
}

const up = ({ a, b }: Pair) => a.link.networks.ipv4Up && b.link.networks.ipv4Up;

test("each method authenticates the peer, and nobody without the secret", () => {
  for (const method of METHODS) {
    const good = pair({ name: "srv", peer: "zaphod", demand: [method] }, { name: "zaphod", accept: [method] });
    good.open();
    expect(good.run(() => up(good))).toBe(true);
    expect(good.a.find("peer-authenticated")).toMatchObject({ name: "zaphod", method });
    expect(good.a.lines).toContain(`Peer zaphod authenticated with ${method === "eap" ? "EAP" : "CHAP"}`);

    const wrong = pair(
      { name: "srv", peer: "zaphod", demand: [method] },
      { name: "zaphod", secret: "wrong", accept: [method] },
    );
    wrong.open();
    expect(wrong.run(() => wrong.a.has("terminated") && wrong.b.has("terminated"))).toBe(true);
    expect(wrong.a.find("failure")).toMatchObject({ failure: "peer-not-authenticated" });
    expect(wrong.b.find("failure")).toMatchObject({ failure: "we-not-authenticated" });
    expect(wrong.a.has("ipv4-up") || wrong.b.has("ipv4-up")).toBe(false);

    const stranger = pair({ name: "srv", peer: "zaphod", demand: [method] }, { name: "ford", accept: [method] });
    stranger.open();
    expect(stranger.run(() => stranger.a.has("terminated"))).toBe(true);
    expect(stranger.a.has("peer-authenticated")).toBe(false);
    for (const side of [good.a, good.b, wrong.a, wrong.b]) expect(side.lines.join()).not.toContain("gargle");
  }
});

test("a peer that has logged in before PPP need not authenticate itself", () => {
  const known = pair({ name: "srv", peer: "zaphod", demand: METHODS }, { name: "ford" });
  known.a.link.vouch("zaphod");
  known.open();
  expect(known.run(() => up(known))).toBe(true);
  expect(known.a.find("peer-authenticated")).toMatchObject({ name: "zaphod", method: "login" });

  // The next peer on the same line is not the one that has logged in.
  known.b.link.hangup(known.now);
  known.b.link.open(known.now);
  expect(known.run(() => known.a.has("terminated"))).toBe(true);
  expect(known.a.find("failure")).toEqual({ type: "failure", failure: "peer-not-authenticated" });
  expect(known.a.events.filter(({ type }) => type === "peer-authenticated").length).toBe(1);
});

test("a login holds for the peer that begins LCP anew under its magic number, and for nobody else", () => {
  for (const [again, failure] of [
    ["0506 11223344", undefined],
    ["0506 55667788", { type: "failure", failure: "peer-not-authenticated" }],
    ["", { type: "failure", failure: "peer-not-authenticated" }],
  ] as const) {
    const side = new Side(config(0, 0, { name: "srv", demand: METHODS }), new Rng(7));
    side.link.vouch("zaphod");
    const it = new RawPeer(side);
    it.openLcp("0506 11223344");
    it.openLcp(again);
    expect(side.find("failure")).toEqual(failure);
    const count = side.events.filter(({ type }) => type === "peer-authenticated").length;
    expect(count).toBe(failure === undefined ? 2 : 1);
  }
});

test("each side proves itself to the other", () => {
  for (const method of METHODS) {
    const both = pair(
      { name: "srv", peer: "zaphod", demand: [method], accept: METHODS },
      { name: "zaphod", peer: "srv", demand: ["chap-md5"], accept: METHODS },
    );
    both.open();
    expect(both.run(() => up(both))).toBe(true);
    expect(both.a.find("peer-authenticated")).toMatchObject({ name: "zaphod" });
    expect(both.b.find("peer-authenticated")).toMatchObject({ name: "srv" });
  }
});

test("they agree on a method that both have, in the order of the side that asks", () => {
  const link = pair(
    { name: "srv", peer: "zaphod", demand: ["eap", "chap-md5", "mschap-v2", "pap"] },
    { name: "zaphod", accept: ["mschap-v2", "pap"] },
  );
  link.open();
  expect(link.run(() => up(link))).toBe(true);
  expect(link.a.find("peer-authenticated")).toMatchObject({ method: "mschap-v2" });
});

test("a peer that proves itself at each interval goes on, and one that fails later is refused", () => {
  let secret = "gargleBlaster";
  const rng = new Rng(8);
  const server = config(1, 2, { name: "srv", peer: "zaphod", demand: ["chap-md5"], chapIntervalMs: 10_000 });
  const client = config(0, 0, { name: "zaphod", accept: ["chap-md5"] });
  const forgetful = { ...client, authentication: { ...client.authentication, ourSecret: () => secret } };
  const link = new Pair(new Side(server, rng), new Side(forgetful, rng));
  link.open();
  link.run(() => up(link));
  expect(link.run(() => link.a.has("terminated"), 60_000)).toBe(false);
  expect(link.a.events.filter(({ type }) => type === "peer-authenticated").length).toBe(1);
  secret = "forgotten";
  expect(link.run(() => link.a.has("terminated"), 60_000)).toBe(true);
  expect(link.a.find("failure")).toMatchObject({ failure: "peer-not-authenticated" });
});

const ALL: MppeConfig = { bits40: true, bits56: true, bits128: true, stateful: false };

test("MPPE of every strength carries packets, and none is sent unencrypted", () => {
  const only = (bits: 40 | 56 | 128, stateful: boolean): MppeConfig => ({
    bits40: bits === 40,
    bits56: bits === 56,
    bits128: bits === 128,
    stateful,
  });
  const cases: [AuthMethod, MppeConfig, string][] = [
    ["mschap-v2", ALL, "MPPE 128-bit stateless compression enabled"],
    ["mschap", ALL, "MPPE 128-bit stateless compression enabled"],
    ["mschap-v2", only(40, false), "MPPE 40-bit stateless compression enabled"],
    ["mschap-v2", only(56, false), "MPPE 56-bit stateless compression enabled"],
  ];
  for (const [method, mppe, text] of cases) {
    const link = pair(
      { name: "srv", peer: "zaphod", demand: [method], mppe },
      { name: "zaphod", accept: [method], mppe },
    );
    const seen: Uint8Array[] = [];
    link.wire.damage = (bytes) => (seen.push(bytes.slice()), bytes);
    link.open();
    expect(link.run(() => up(link))).toBe(true);
    expect([link.a.lines.includes(text), link.b.lines.includes(text)]).toEqual([true, true]);
    expect(link.a.find("overhead")).toMatchObject({ octets: 4 });
    const packet = Uint8Array.from({ length: 600 }, (_, at) => (at === 0 ? 0x45 : 0x41));
    for (let n = 0; n < 300; n++) {
      link.a.send(packet, link.now);
      link.b.send(packet, link.now);
      link.run(() => false, 3);
    }
    expect([link.a.packets.length, link.b.packets.length]).toEqual([300, 300]);
    expect(link.b.packets.every((got) => Bun.deepEquals(got, packet))).toBe(true);
    expect(seen.some((bytes) => Buffer.from(bytes).includes("AAAAAAAA"))).toBe(false);
  }
});

test("a peer that chooses 40 bits where 128 were offered causes a warning with the remedy", () => {
  const only40: MppeConfig = { bits40: true, bits56: false, bits128: false, stateful: false };
  const link = pair(
    { name: "srv", peer: "zaphod", demand: ["mschap-v2"], mppe: ALL },
    { name: "zaphod", accept: ["mschap-v2"], mppe: only40 },
  );
  link.open();
  expect(link.run(() => up(link))).toBe(true);
  const warning = "MPPE with 40 bits only, for the peer wants no more; require-mppe-128 insists on 128";
  expect(link.a.events).toContainEqual({ type: "log", level: "warn", text: warning });
  expect(link.b.lines).not.toContain(warning);
});

test("two ends with different keys log it, with a remedy after MS-CHAP", () => {
  const warning = "No encrypted packet can be read: the two ends have different keys";
  for (const [method, text] of [
    ["mschap", `${warning}; a pppd 2.5 has wrong ones after MS-CHAP, and MS-CHAPv2 helps`],
    ["mschap-v2", warning],
  ] as const)
    // The sender of the packets is warned as well as their receiver.
    for (const spoilt of [false, true]) {
      const mppe: MppeConfig = { ...ALL, bits40: false };
      const link = pair(
        { name: "srv", peer: "zaphod", demand: [method], mppe },
        { name: "zaphod", accept: [method], mppe },
      );
      const { networks } = link.b.link;
      const start = networks.start.bind(networks);
      networks.start = (keys, now) => {
        if (typeof keys !== "object") throw new Error("no keys");
        const other = (key: Uint8Array): Uint8Array => key.map((octet) => octet ^ 1);
        start(spoilt ? { ...keys, transmit: other(keys.transmit), receive: other(keys.receive) } : keys, now);
      };
      link.open();
      expect(link.run(() => up(link))).toBe(true);
      const packet = Uint8Array.from({ length: 100 }, (_, at) => (at === 0 ? 0x45 : 0x41));
      for (let n = 0; n < 40; n++) {
        link.a.send(packet, link.now);
        link.run(() => false, 100);
      }
      for (const { events } of [link.a, link.b]) {
        const warnings = events.filter((event) => event.type === "log" && event.text.startsWith(warning));
        expect(warnings).toEqual(spoilt ? [{ type: "log", level: "warn", text }] : []);
      }
    }
});

test("required encryption that the peer does not have ends the link, with the reason", () => {
  const refused = pair(
    { name: "srv", peer: "zaphod", demand: ["mschap-v2"], mppe: ALL },
    { name: "zaphod", accept: ["mschap-v2"] },
  );
  refused.open();
  expect(refused.run(() => refused.a.has("terminated"))).toBe(true);
  expect(refused.a.lines).toContain("MPPE required but peer negotiation failed");
  expect(refused.a.find("failure")).toMatchObject({ failure: "no-network-protocol" });
  expect(refused.a.has("ipv4-up") || refused.b.has("ipv4-up")).toBe(false);

  const noKeys = pair(
    { name: "srv", peer: "zaphod", demand: ["chap-md5"], mppe: ALL },
    {
      name: "zaphod",
      accept: ["chap-md5"],
    },
  );
  noKeys.open();
  expect(noKeys.run(() => noKeys.a.has("terminated"))).toBe(true);
  expect(noKeys.a.lines).toContain("MPPE required, but MS-CHAP[v2] auth not performed.");
  expect(noKeys.a.find("failure")).toMatchObject({ failure: "no-network-protocol" });

  const twice = pair(
    { name: "srv", peer: "zaphod", demand: ["mschap-v2"], accept: ["mschap-v2"], mppe: ALL },
    { name: "zaphod", peer: "srv", demand: ["mschap-v2"], accept: ["mschap-v2"], mppe: ALL },
  );
  twice.open();
  expect(twice.run(() => twice.a.has("terminated") || twice.b.has("terminated"))).toBe(true);
  expect([...twice.a.lines, ...twice.b.lines]).toContain("MPPE required, but auth done in both directions.");
});

test("MS-CHAP of version 1 gives keys of 128 bits only", () => {
  const only40: MppeConfig = { bits40: true, bits56: false, bits128: false, stateful: false };
  const only128: MppeConfig = { bits40: false, bits56: false, bits128: true, stateful: false };
  const disabled = "Disabling 40-bit MPPE; MS-CHAP LM not supported";
  const version1 = (mppe: MppeConfig): Pair =>
    pair({ name: "srv", peer: "zaphod", demand: ["mschap"], mppe }, { name: "zaphod", accept: ["mschap"], mppe });
  for (const mppe of [ALL, only128]) {
    const link = version1(mppe);
    link.open();
    expect(link.run(() => up(link))).toBe(true);
    expect(link.a.lines.includes(disabled)).toBe(mppe.bits40);
    expect(link.a.lines).toContain("MPPE 128-bit stateless compression enabled");
  }
  const link = version1(only40);
  link.open();
  expect(link.run(() => link.a.has("terminated"))).toBe(true);
  expect(link.a.lines).toEqual(
    expect.arrayContaining([disabled, "MPPE required, but both 40-bit and 128-bit disabled."]),
  );
  expect(link.a.find("failure")).toMatchObject({ failure: "no-network-protocol" });
});

test("a PAP name is cut at its NUL before it is looked up, and its other octets stay as they are", () => {
  const server = config(1, 2, { name: "srv", demand: ["pap"] });
  const client = config(0, 0, { name: "\xe9t\xe9\0root", accept: ["pap"] });
  const rng = new Rng(9);
  const link = new Pair(new Side(server, rng), new Side(client, rng));
  link.open();
  link.run(() => link.a.has("pap-request"));
  expect(link.a.find("pap-request")).toMatchObject({ user: "\xe9t\xe9" });
  link.a.link.papVerdict(true, "Login ok", link.now);
  link.run(() => up(link));
  expect(link.a.find("peer-authenticated")).toMatchObject({ name: "\xe9t\xe9", method: "pap" });
  expect(link.a.lines).toContain("Peer \\xe9t\\xe9 authenticated with PAP");
});

/** A Protocol-Reject of the protocol. */
function protocolReject(protocol: number): Uint8Array {
  const frame = [0xff, 0x03, 0xc0, 0x21, 8, 99, 0, 10, protocol >> 8, protocol & 0xff, 1, 1, 0, 4];
  const octets = [...frame, ...fcs16Oracle(frame)];
  return Uint8Array.from([0x7e, ...octets.flatMap((octet) => (octet < 32 ? [0x7d, octet ^ 0x20] : [octet])), 0x7e]);
}

const [PAP, CHAP, EAP] = [0xc023, 0xc223, 0xc227];

/** `a` authenticates itself with `ours` and demands `peers` from `b`. Neither has answered yet when `b` rejects. */
function rejected(peers: AuthMethod | undefined, ours: AuthMethod | undefined, protocol: number): Side {
  const listed = (method: AuthMethod | undefined) => (method === undefined ? [] : [method]);
  const link = pair(
    { name: "srv", peer: "zaphod", demand: listed(peers), accept: listed(ours) },
    { name: "zaphod", peer: "srv", demand: listed(ours), accept: listed(peers) },
  );
  link.open();
  expect(link.run(() => link.a.has("lcp-up"))).toBe(true);
  link.a.collect();
  link.a.take(protocolReject(protocol), link.now);
  return link.a;
}

test.each([
  ["pap", undefined, PAP, ["peer-not-authenticated"], "PAP authentication of peer failed (protocol-reject)"],
  [undefined, "pap", PAP, ["we-not-authenticated"], "PAP authentication failed due to protocol-reject"],
  ["chap-md5", "pap", PAP, ["we-not-authenticated"], "PAP authentication failed due to protocol-reject"],
  ["pap", "chap-md5", PAP, ["peer-not-authenticated"], "PAP authentication of peer failed (protocol-reject)"],
  [undefined, "chap-md5", CHAP, ["we-not-authenticated"], "CHAP authentication failed due to protocol-reject"],
  ["chap-md5", undefined, CHAP, ["peer-not-authenticated"], undefined],
  [undefined, "eap", EAP, ["we-not-authenticated"], "EAP authentication failed due to Protocol-Reject"],
  ["eap", undefined, EAP, ["peer-not-authenticated"], "EAP authentication of peer failed on Protocol-Reject"],
  ["chap-md5", undefined, PAP, [], undefined],
  ["pap", undefined, CHAP, [], undefined],
] as const)("the peer has to use %s and we %s: a Protocol-Reject of %d", (peers, ours, protocol, failures, text) => {
  const { events, lines } = rejected(peers, ours, protocol);
  expect(events.flatMap((event) => (event.type === "failure" ? [event.failure] : []))).toEqual([...failures]);
  const errors = lines.filter((line) => /authentication.*failed/.test(line));
  expect(errors).toEqual(text === undefined ? [] : [text]);
});

test("no line of the log has a control octet, whatever name and text the peer sends", () => {
  const octets = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet));
  for (const method of [...METHODS, "pap"] as const)
    for (const name of [octets.slice(1, 130).join(""), octets.slice(127).join(""), "\x1b]0;owned\x07\r\n\x9b2J"]) {
      const link = pair(
        { name: `srv${name}`, peer: name, demand: [method] },
        { name, accept: [method], secret: "gargleBlaster" },
      );
      link.a.link.trace.level = link.b.link.trace.level = 2;
      link.open();
      link.run(() => up(link) || link.a.has("pap-request"));
      if (method === "pap") link.a.link.papVerdict(true, name, link.now);
      expect(link.run(() => up(link))).toBe(true);
      link.b.link.close(name, link.now);
      link.run(() => link.a.has("terminated"));
      for (const { lines } of [link.a, link.b])
        for (const line of lines) if (!/^[\x20-\x7e]*$/.test(line)) expect(line).toBe("");
      expect(link.a.lines.join()).toContain("authenticated with");
    }
});
