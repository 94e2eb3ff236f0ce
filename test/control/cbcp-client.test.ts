import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { CbcpClient } from "../../src/control/cbcp-client.ts";
import { damaged, embedded } from "../kit/codec.ts";

function client(number = "5551212", isStarted = true) {
  const told: string[] = [];
  const sent: string[] = [];
  const said: string[] = [];
  const made = new CbcpClient(
    number,
    {
      send: (protocol, write) => {
        expect(protocol).toBe(0xc029);
        const buf = new Uint8Array(300);
        sent.push(toHex(buf, 0, write(buf, 0)));
      },
      log: (level, text) => void said.push(`${level}: ${text}`),
    },
    { callbackAgreed: () => void told.push("agreed"), noCallback: () => void told.push("none") },
  );
  if (isStarted) made.start();
  const receive = (packet: Uint8Array): void => {
    const { buf, start, end } = embedded(packet);
    made.receive(buf, start, end, 0);
  };
  return { made, told, sent, said, receive, hear: (hex: string) => receive(fromHex(hex)) };
}

/** A Request of a Windows server: no callback, a callback to a number of ours, or one to a number that it knows. */
const REQUEST = "0107 000c 0102 0203 0c 0303 0c";
const OUR_NUMBER = "0207 0010 020c 05 01 3535353132313200";
const OUR_NUMBER_ACK = "0307 0010 020c 05 01 3535353132313200";

test("we send our number where the peer lets us choose, and hang up after its Ack", () => {
  const { told, sent, said, hear } = client();
  hear(REQUEST);
  expect(sent).toEqual([OUR_NUMBER.replaceAll(" ", "")]);
  expect(told).toEqual([]);
  hear(OUR_NUMBER_ACK);
  hear(OUR_NUMBER_ACK);
  expect(told).toEqual(["agreed"]);
  expect(said).toContain("debug: peer will call: 5551212");
});

test("a repeated Request is answered again, with its own identifier", () => {
  const { told, sent, hear } = client();
  hear(REQUEST);
  hear(REQUEST.replace("0107", "0108"));
  expect(sent.map((hex) => hex.slice(0, 4))).toEqual(["0207", "0208"]);
  hear(OUR_NUMBER_ACK);
  expect(told).toEqual(["agreed"]);
});

test.each([
  ["the number the peer knows", "0101 0009 0102 0303 00", "020100070303 05", ["agreed"], "0301 0007 0303 05"],
  ["none at all: the link goes on before the Ack", "0101 0006 0102", "020100060102", ["none"], "0301 0006 0102"],
  ["a list, which pppd knows nothing of", "0101 000a 0406 00 01 3100", "", [], "0301 000a 0406 00 01 3100"],
])("otherwise %s", (_, request, response, outcome, ack) => {
  const { told, sent, hear } = client();
  hear(request);
  expect(sent.join()).toBe(response.replaceAll(" ", ""));
  hear(ack);
  hear(ack);
  expect(told).toEqual(outcome);
  hear(request);
  expect(told).toEqual(outcome);
});

test("an Ack of no callback after we asked for one: the link goes on", () => {
  const { told, hear } = client();
  hear(REQUEST);
  hear("0307 0006 0102");
  expect(told).toEqual(["none"]);
});

test("a number too long is cut where its option ends", () => {
  const { sent, said, hear } = client("1".repeat(300));
  hear(REQUEST);
  expect(sent[0]!.slice(0, 16)).toBe("0207010302ff0501");
  expect(fromHex(sent[0]!)).toHaveLength(0x103);
  expect(said).toContain("warn: callback number truncated to 250 characters");
});

test("nothing is done before its time, without a Request, or for broken packets", () => {
  const early = client("1", false);
  early.hear(REQUEST);
  early.hear(OUR_NUMBER_ACK);
  expect([early.sent, early.told]).toEqual([[], []]);
  const { told, sent, hear, made } = client();
  hear(OUR_NUMBER_ACK);
  hear(OUR_NUMBER);
  hear("0107 000c 0102 0203 0c 0309 0c");
  hear("0307 0004");
  expect([sent, told]).toEqual([[], []]);
  made.stop();
  hear(REQUEST);
  expect(sent).toEqual([]);
  for (const packet of [...damaged(fromHex(REQUEST)), ...damaged(fromHex(OUR_NUMBER_ACK))]) client().receive(packet);
});
