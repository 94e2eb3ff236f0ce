// Microsoft's callback control protocol in a whole Link: between authentication and the network protocols.

import { expect, test } from "bun:test";
import { linkConfig, Side } from "../kit/pair.ts";
import { RawPeer } from "../kit/raw-peer.ts";
import { Rng } from "../kit/rng.ts";

const [LCP, CBCP, IPCP] = [0xc021, 0xc029, 0x8021];
/** No callback, a callback to a number of ours, or one to a number that the peer knows. */
const REQUEST = "0107 000c 0102 0203 0c 0303 0c";
const OUR_NUMBER = "02070010020c05013535353132313200";
const OUR_NUMBER_ACK = "0307 0010 020c 05 01 3535353132313200";
const NO_CALLBACK = "0108 0006 0102";
/** Callback, operation 6 (CBCP), as an option of LCP. */
const OPTION = "0d0306";

function peer(): RawPeer {
  const base = linkConfig();
  const networks = { ...base.networks, ipcp: { ...base.networks.ipcp!, our: 0x0a000002 } };
  const config = linkConfig({ callback: "5551212", lcp: { ...base.lcp, callback: true }, networks });
  return new RawPeer(new Side(config, new Rng(1)));
}

const phases = ({ side }: RawPeer): string[] =>
  side.events.flatMap((event) => (event.type === "phase" ? [event.phase] : []));

test("the peer accepts our number: the link ends so that it can call back", () => {
  const it = peer();
  expect(it.heard.at(-1)!.hex).toContain(OPTION);
  it.openLcp();
  expect(phases(it).at(-1)).toBe("callback");
  it.wait(1000);
  expect([it.take(CBCP), it.take(IPCP)]).toEqual([[], []]);
  it.say(CBCP, REQUEST);
  expect(it.take(CBCP)).toEqual([OUR_NUMBER]);
  it.take(LCP);
  it.say(CBCP, OUR_NUMBER_ACK);
  expect(it.side.find("failure")).toMatchObject({ failure: "callback" });
  const [terminate] = it.take(LCP);
  expect(Buffer.from(terminate!.slice(8), "hex").toString()).toBe("Call me back, please");
  expect(it.side.has("ipv4-up")).toBe(false);
});

test("the peer offers no callback: the network protocols begin, and a later Request changes nothing", () => {
  const it = peer();
  it.openLcp();
  // Too early: the peer repeats a Request that is not answered now.
  it.say(IPCP, "0101 000a 0306 0a000001");
  expect(it.take(IPCP)).toEqual([]);
  expect(it.side.lines).toContain("discarding proto 0x8021 in phase 6");
  it.say(CBCP, NO_CALLBACK);
  expect(it.take(CBCP)).toEqual(["020800060102"]);
  expect(phases(it).at(-1)).toBe("network");
  it.acknowledge(IPCP);
  it.say(IPCP, "0101 000a 0306 0a000001");
  expect(it.side.find("ipv4-up")).toMatchObject({ peer: 0x0a000001 });
  it.say(CBCP, NO_CALLBACK);
  it.say(CBCP, OUR_NUMBER_ACK);
  expect([it.side.has("failure"), phases(it).at(-1)]).toEqual([false, "network"]);
});

test("a peer that rejects the option is not waited for, and its Requests are not heard", () => {
  const it = peer();
  it.take(LCP);
  it.say(LCP, `0401 0007 ${OPTION}`);
  expect(it.heard.at(-1)!.hex).not.toContain(OPTION);
  it.openLcp();
  expect(phases(it)).not.toContain("callback");
  expect(it.take(IPCP)).toHaveLength(1);
  it.say(CBCP, REQUEST);
  expect([it.take(CBCP), it.side.has("failure")]).toEqual([[], false]);
});

test("a peer that begins LCP anew is asked for the callback anew", () => {
  const it = peer();
  it.openLcp();
  it.say(CBCP, REQUEST);
  it.take(CBCP);
  it.openLcp();
  it.say(CBCP, OUR_NUMBER_ACK);
  expect(it.side.has("failure")).toBe(false);
  it.say(CBCP, REQUEST);
  it.say(CBCP, OUR_NUMBER_ACK);
  expect(it.side.find("failure")).toMatchObject({ failure: "callback" });
});

test("with callback we speak CBCP and no other protocol more", () => {
  const said = (protocol: string): string[] => {
    const it = peer();
    it.openLcp();
    it.say(LCP, `0801 000a ${protocol} 00000000`);
    return it.side.lines.filter((line) => line.startsWith("Protocol-Reject for"));
  };
  expect(said("c029")).toEqual([expect.stringMatching(/^Protocol-Reject for '.*' \(0xc029\) received$/)]);
  expect(said("8029")).toEqual(["Protocol-Reject for unsupported protocol 'Appletalk Control Protocol' (0x8029)"]);
});
