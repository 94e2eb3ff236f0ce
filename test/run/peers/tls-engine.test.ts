// EAP-TLS without the line: two ends with real certificates, files and TLS.

import { heapStats } from "bun:jsc";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkOptions } from "../../../src/options/check.ts";
import { parseOptions } from "../../../src/options/parse.ts";
import { Log } from "../../../src/os/log/log-writer.ts";
import { Syslog } from "../../../src/os/log/syslog-client.ts";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { linkConfig } from "../../../src/run/settings/link-config.ts";
import { Peers } from "../../../src/run/peers/peers.ts";
import { OptionsInForce } from "../../../src/run/settings/options-in-force.ts";
import { EapCode, EapType, putEap } from "../../../src/wire/eap.ts";
import { End, Wire } from "../../auth/endpoints.ts";
import { written } from "../../kit/codec.ts";
import { Authority, certsMissing } from "../../kit/certs.ts";
import { fakeHost } from "../../kit/optionhost.ts";

setDefaultTimeout(20_000);
const skip = certsMissing();

let authority: Authority;
/** The files in /etc/ppp by name. */
const files: Record<string, string> = {};

beforeAll(() => {
  if (skip !== undefined) return;
  authority = new Authority();
  const stranger = new Authority("Magrathea");
  const usage = (kind: string) => ({ extensions: `extendedKeyUsage=${kind}` });
  authority.issue("zaphod", "/C=GB/O=Milliways/CN=zaphod", usage("clientAuth"));
  authority.issue("srv", "/CN=srv", usage("serverAuth"));
  authority.issue("wrong-use", "/CN=zaphod", usage("serverAuth"));
  authority.issue("over", "/CN=zaphod", { days: -1 });
  authority.issue("second", "/CN=zaphod");
  authority.issue("locked", "/CN=zaphod");
  authority.encipher("locked", "gargleBlaster");
  stranger.issue("stranger", "/CN=zaphod");
  authority.revocationList("none");
  authority.revocationList("some", "second");
  stranger.revocationList("others");
  for (const name of ["zaphod", "srv", "wrong-use", "over", "second", "locked"])
    for (const kind of ["pem", "key"]) files[`${name}.${kind}`] = authority.text(`${name}.${kind}`);
  for (const name of ["ca.pem", "locked.p12", "none.crl", "some.crl"]) files[name] = authority.text(name);
  for (const name of ["stranger.pem", "stranger.key", "others.crl"]) files[name] = stranger.text(name);
  stranger.remove();
});
afterAll(() => authority?.remove());

const SERVER_LINE = "* srv - srv.pem ca.pem srv.key 10.0.0.2";

interface Case {
  /** Lines of eaptls-server and eaptls-client. File names in them are relative to /etc/ppp. */
  readonly serves?: string;
  readonly proves?: string;
  readonly server?: string;
  readonly client?: string;
  readonly user?: string;
  /** More files, by their path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly passing?: Wire["passing"];
}

/** An end with these words, and its log. */
function end(
  seed: number,
  words: string,
  more: Readonly<Record<string, string>>,
): { end: End; peers: Peers; said: string[] } {
  const full = (text: string): string => text.replace(/[\w-]+\.(pem|key|crl|p12)/g, "/etc/ppp/$&");
  const etc: Record<string, string> = {};
  for (const [name, text] of Object.entries(files)) etc[join("/etc/ppp", name)] = text;
  for (const [name, text] of Object.entries(more))
    etc[name.startsWith("/") ? name : join("/etc/ppp", name)] = full(text);
  const host = fakeHost({ files: etc });
  const config = checkOptions(parseOptions(["/dev/ttyS1", ...full(words).split(" ")], host), host);
  const said: string[] = [];
  const log = new Log(new Syslog("pppd", "local2", { pid: true, path: "/nonexistent" }), undefined, true);
  log.write = (_level, text) => void said.push(text);
  const peers = new Peers(new OptionsInForce(config), host, thisMachine, log);
  const { eap, user } = linkConfig(config, peers.plan(), thisMachine.network, () => {}).authentication;
  const made = new End(seed, { eap });
  if (!words.includes("auth require-eap")) made.eapClient.start(user, 0);
  else made.eapServer.start(config.name, 0);
  return { end: made, peers, said };
}

interface Played {
  readonly accepted: readonly [server: boolean | undefined, client: boolean | undefined];
  readonly server: readonly string[];
  readonly client: readonly string[];
  readonly wire: Wire;
  readonly peers: Peers;
}

async function play(what: Case = {}): Promise<Played> {
  const { serves = SERVER_LINE, proves, server = "", user = "zaphod", passing } = what;
  const own = what.client ?? (proves === undefined ? "ca ca.pem cert zaphod.pem key zaphod.key" : "");
  const a = end(1, `name srv auth require-eap ${server}`.trim(), { "eaptls-server": serves, ...what.files });
  const line = proves === undefined ? {} : { "eaptls-client": proves };
  const b = end(2, `noauth user ${user} ${own}`.trim(), { ...line, ...what.files });
  const wire = new Wire(a.end, b.end);
  if (passing !== undefined) wire.passing = passing;
  const engines = [a.peers.tls.engine, b.peers.tls.engine];
  for (;;) {
    wire.run();
    if (!engines.some((engine) => engine.busy)) break;
    await new Promise(setImmediate);
    if (engines[0]!.takeSettled()) a.end.eapServer.resume(0);
    if (engines[1]!.takeSettled()) b.end.eapClient.resume(0);
  }
  return {
    accepted: [a.end.outcome("server"), b.end.outcome("client")],
    server: [...a.said, ...a.end.lines],
    client: [...b.said, ...b.end.lines],
    wire,
    peers: a.peers,
  };
}

const BOTH = [true, true] as const;
const NEITHER = [false, false] as const;

describe.skipIf(skip !== undefined)(`EAP-TLS${skip === undefined ? "" : ` [skipped: ${skip}]`}`, () => {
  test("with every TLS version both sides prove themselves and have the same keys", async () => {
    for (const [asked, version] of [["1.0"], ["1.1"], ["1.2"], ["1.3"], ["1.2", "1.3"]] as const) {
      const { accepted, wire } = await play({
        server: `max-tls-version ${asked}`,
        client: `remotename srv ca ca.pem cert zaphod.pem key zaphod.key max-tls-version ${version ?? asked}`,
      });
      expect(accepted).toEqual(BOTH);
      const [server, client] = [wire.a.outcomes[0]?.mppe, wire.b.outcomes[0]?.mppe];
      expect(server).toEqual({ ...client!, isServer: true });
      expect(wire.a.outcomes).toMatchObject([{ name: "zaphod", mppe: { masterKey: { length: 64 } } }]);
    }
  });

  const cases: readonly [string, Case, Played["accepted"], RegExp?][] = [
    ["without remotename the server's name does not matter", {}, BOTH, /^Peer name not specified: no check$/],
    ["the eaptls file does as well as the options", { proves: "zaphod * zaphod.pem srv.pem ca.pem zaphod.key" }, BOTH],
    [
      "a server with another certificate than ours must be is left",
      { proves: "zaphod * zaphod.pem zaphod.pem ca.pem zaphod.key" },
      NEITHER,
      /^Peer certificate doesn't match stored certificate$/,
    ],
    [
      "a client with another certificate than its line says is turned out",
      { serves: "* srv second.pem srv.pem ca.pem srv.key *" },
      NEITHER,
      /^Peer certificate doesn't match stored certificate$/,
    ],
    [
      "a name that is not the certificate's gets nobody in",
      { user: "ford" },
      NEITHER,
      /^Certificate verification error: CN \(zaphod\) != peer_name \(ford\)$/,
    ],
    ["nor does the empty one", { user: "", server: "tls-verify-method suffix" }, NEITHER, /!= peer_name \(\)$/],
    ["unless nobody asks", { user: "ford", server: "tls-verify-method none" }, BOTH],
    ["the end of a name may be enough", { user: "hod", server: "tls-verify-method suffix" }, BOTH],
    ["or the whole subject", { server: "tls-verify-method subject remotename /C=GB/O=Milliways/CN=zaphod" }, BOTH],
    ["a method of checking that nobody knows lets nobody in", { server: "tls-verify-method whatever" }, NEITHER],
    [
      "a stranger's certificate",
      { client: "ca ca.pem cert stranger.pem key stranger.key" },
      NEITHER,
      /^Certificate verification error: /,
    ],
    ["one whose time is over", { client: "ca ca.pem cert over.pem key over.key" }, NEITHER, /CERT_HAS_EXPIRED$/],
    ["one for servers only", { client: "ca ca.pem cert wrong-use.pem key wrong-use.key" }, NEITHER, /INVALID_PURPOSE$/],
    ["a key usage that fits", { server: "tls-verify-key-usage" }, BOTH, /^Certificate key usage: OK$/],
    ["one not revoked", { client: "ca ca.pem cert second.pem key second.key", server: "crl none.crl" }, BOTH],
    [
      "one revoked",
      { client: "ca ca.pem cert second.pem key second.key", server: "crl some.crl" },
      NEITHER,
      /CERT_REVOKED$/,
    ],
    ["one whose issuer's list is not there", { server: "crl others.crl" }, NEITHER, /UNABLE_TO_GET_CRL$/],
    ["a list that is none", { server: "crl ca.pem" }, NEITHER, /^EAP-TLS: Cannot read CRL file '\/etc\/ppp\/ca.pem'$/],
    ["a key behind a password", { client: "ca ca.pem cert locked.pem key locked.key password gargleBlaster" }, BOTH],
    [
      "and a wrong one",
      { client: "ca ca.pem cert locked.pem key locked.key password towelDay" },
      NEITHER,
      /^EAP-TLS: Cannot use private key \/etc\/ppp\/locked.key$/,
    ],
    ["both in one file", { client: "ca ca.pem pkcs12 locked.p12 password gargleBlaster" }, BOTH],
    [
      "a key of another certificate",
      { client: "ca ca.pem cert zaphod.pem key srv.key" },
      NEITHER,
      /fails security check$/,
    ],
    [
      "a CA that is none",
      { client: "ca zaphod.key cert zaphod.pem key zaphod.key" },
      NEITHER,
      /^EAP-TLS: Cannot load verify locations$/,
    ],
    [
      "a server that can only TLS 1.2 and a client of 1.3's",
      { client: "max-tls-version 1.3 ca ca.pem cert zaphod.pem key zaphod.key" },
      BOTH,
    ],
  ];
  for (const [name, what, accepted, line] of cases)
    test(name, async () => {
      const played = await play(what);
      const said = [...played.server, ...played.client];
      if (line !== undefined) expect(said).toContainEqual(expect.stringMatching(line));
      expect(said.join("\n")).not.toMatch(/PRIVATE|gargleBlaster|towelDay/);
      expect(played.accepted).toEqual([...accepted]);
    });

  test("folders of authorities and of revocation lists have the names that c_rehash makes", async () => {
    const folder = join(authority.folder, "hashed");
    mkdirSync(folder);
    const words = `capath ${folder} crl-dir ${folder} cert zaphod.pem key zaphod.key remotename srv`;
    const inFolder: Record<string, string> = {};
    const put = (name: string, text = ""): void => {
      writeFileSync(join(folder, name), text);
      inFolder[join(folder, name)] = text;
    };
    put("ca.pem", files["ca.pem"]);
    expect((await play({ client: words, files: inFolder })).client).toContain("EAP-TLS: Cannot load verify locations");
    put("0123abcd.0", files["ca.pem"]);
    expect((await play({ client: words, files: inFolder })).client).toContain("EAP-TLS: Store lookup for CRL failed");
    put("0123abcd.r0", files["none.crl"]);
    expect((await play({ client: words, files: inFolder })).accepted).toEqual([...BOTH]);
  });

  test("the client may use what its line says, once it is known", async () => {
    const { peers } = await play();
    expect([peers.mayUse(0x0a000002), peers.mayUse(0x0a000003)]).toEqual([true, false]);
  });

  test("octets that are no TLS end the conversation without harm", async () => {
    for (const bytes of [[0], [0, 22, 3, 1, 0, 5, 1, 0, 0], [0, ...new Uint8Array(900).fill(0x16)]])
      for (const code of [EapCode.Request, EapCode.Response]) {
        const { accepted } = await play({
          passing: (packet) =>
            packet[0] === code && packet[4] === EapType.Tls && (packet[5]! & 0x20) === 0
              ? written((buf, at) => putEap(buf, at, code, packet[1]!, EapType.Tls, Uint8Array.from(bytes)), 2048)
              : packet,
        });
        expect(accepted).not.toContain(true);
      }
  });

  /** Changes the packets of TLS, by their number. */
  function counting(act: (packet: Uint8Array, nth: number) => Uint8Array | undefined): Wire["passing"] {
    let nth = 0;
    return (packet) => (packet[4] === EapType.Tls ? act(packet, nth++) : packet);
  }
  const spoiling = (): Wire["passing"] =>
    counting((packet, nth) => (nth === 4 ? packet.with(packet.length >> 1, packet[packet.length >> 1]! ^ 1) : packet));
  const losing = (): Wire["passing"] => counting((packet, nth) => (nth < 4 ? packet : undefined));

  test("no conversation leaves a socket behind, whether it ended, failed or was abandoned", async () => {
    const version = "max-tls-version 1.3";
    const kinds: Record<string, () => Case> = {
      good: () => ({}),
      "good with TLS 1.3": () => ({
        server: version,
        client: `ca ca.pem cert zaphod.pem key zaphod.key ${version}`,
      }),
      refused: () => ({ user: "ford" }),
      spoilt: () => ({ passing: spoiling() }),
      abandoned: () => ({ passing: losing() }),
    };
    // The first of each loads code that stays.
    for (const kind of Object.values(kinds)) await play(kind());
    const before = await sockets();
    for (const [name, kind] of Object.entries(kinds)) {
      for (let nth = 0; nth < 100; nth++) {
        const { wire } = await play(kind());
        // LCP goes down.
        wire.a.eapServer.stop();
        wire.b.eapClient.stop();
      }
      // A collection may keep a few for values that look like pointers.
      expect({ name, left: Math.max(0, (await sockets()) - before - 10) }).toEqual({ name, left: 0 });
    }
  }, 120_000);
});

/** The number of TLS sockets after a collection. */
async function sockets(): Promise<number> {
  for (let turns = 0; turns < 5; turns++) {
    await new Promise(setImmediate);
    Bun.gc(true);
  }
  return heapStats().objectTypeCounts["TLSSocket"] ?? 0;
}
