// Our answers to options, which are those of the real pppd, with a scripted peer (fixtures/peers/README.md has the
// grammar).

import { expect, test } from "bun:test";
import { readScript, ScriptedPeer } from "../kit/scripted-peer.ts";

const OPTIONS = "options: 10.1.0.1:10.1.0.2 noauth local noccp noipv6";

function play(words: string, script: string): void {
  const peer = new ScriptedPeer(readScript(`${OPTIONS} ${words}\nframing: escapes=0\n${script}`));
  peer.play();
  expect(peer.complaints).toEqual([]);
}

const OUR_REQUEST = "us: [LCP ConfReq id=0x1 <asyncmap 0x0> <magic *> <pcomp> <accomp>]";
const LCP = `${OUR_REQUEST}
peer: [LCP ConfReq id=0x1 <asyncmap 0x0>]
us: [LCP ConfAck id=0x1 <asyncmap 0x0>]
peer: ack LCP
`;
const UP = "up: 10.1.0.1 10.1.0.2";

test("`escape` has the peer's asyncmap name the same control characters: Naks, then Rejects", () =>
  play(
    "novj escape 11,13,7c lcp-max-failure 2",
    `${OUR_REQUEST}
peer: [LCP ConfReq id=0x1 <asyncmap 0x0>]
us: [LCP ConfNak id=0x1 <asyncmap 0xa0000>]
peer: [LCP ConfReq id=0x2 <asyncmap 0x20000>]
us: [LCP ConfNak id=0x2 <asyncmap 0xa0000>]
peer: [LCP ConfReq id=0x3 <asyncmap 0x1>]
us: [LCP ConfRej id=0x3 <asyncmap 0x1>]
peer: [LCP ConfReq id=0x4 <asyncmap 0xa0001>]
us: [LCP ConfAck id=0x4 <asyncmap 0xa0001>]
peer: ack LCP
us: [IPCP ConfReq id=0x1 <addr 10.1.0.1>]
peer: ack IPCP
peer: [IPCP ConfReq id=0x1 <addr 10.1.0.2>]
us: [IPCP ConfAck id=0x1 <addr 10.1.0.2>]
${UP}`,
  ));

test("when a request has both Address and Addresses, the second one is rejected", () => {
  for (const [first, second] of [
    ["addr 10.1.0.2", "addrs 10.1.0.2 10.1.0.1"],
    ["addrs 10.1.0.2 10.1.0.1", "addr 10.1.0.2"],
    // Also after one that is Nak'ed.
    ["addr 10.1.0.9", "addrs 10.1.0.2 10.1.0.1"],
  ])
    play(
      "novj",
      `${LCP}us: [IPCP ConfReq id=0x1 <addr 10.1.0.1>]
peer: ack IPCP
peer: [IPCP ConfReq id=0x1 <${first}> <${second}>]
us: [IPCP ConfRej id=0x1 <${second}>]
peer: [IPCP ConfReq id=0x2 <addr 10.1.0.2>]
us: [IPCP ConfAck id=0x2 <addr 10.1.0.2>]
${UP}`,
    );
});

test("VJ is sent only to a peer that has agreed to it", () => {
  const ipcp = (ours: string): string =>
    `${LCP}us: [IPCP ConfReq id=0x1 <compress VJ 0f 01> <addr 10.1.0.1>]
${ours}
peer: [IPCP ConfReq id=0x1 <compress VJ 0f 01> <addr 10.1.0.2>]
us: [IPCP ConfAck id=0x1 <compress VJ 0f 01> <addr 10.1.0.2>]
${UP}
`;
  play("", `${ipcp("peer: ack IPCP")}data: us vj 0f 01, peer vj 0f 01`);
  const refused = "peer: reject IPCP compress\nus: [IPCP ConfReq id=0x2 <addr 10.1.0.1>]\npeer: ack IPCP";
  play("", `${ipcp(refused)}data: us plain, peer plain`);
});

test("an empty Reject makes LCP send a new request", () =>
  play(
    "novj",
    `${OUR_REQUEST}
peer: [LCP ConfRej id=0x1]
us: [LCP ConfReq id=0x2 <asyncmap 0x0> <magic *> <pcomp> <accomp>]
peer: [LCP ConfReq id=0x1 <asyncmap 0x0>]
us: [LCP ConfAck id=0x1 <asyncmap 0x0>]
peer: ack LCP
us: [IPCP ConfReq id=0x1 <addr 10.1.0.1>]
peer: ack IPCP
peer: [IPCP ConfReq id=0x1 <addr 10.1.0.2>]
us: [IPCP ConfAck id=0x1 <addr 10.1.0.2>]
${UP}`,
  ));
