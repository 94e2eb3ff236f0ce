// What programs say to a proxy: exact octets, whole and split at every place.

import { describe, expect, test } from "bun:test";
import { bytesOf, fromHex, textOf, toHex } from "../../src/bytes/text.ts";
import { Handshake } from "../../src/proxy/handshake.ts";
import { type Host, Outcome, type ProxyRequest } from "../../src/proxy/request.ts";
import { cuts } from "../kit/cuts.ts";

const BOUND = { address: Uint8Array.of(10, 0, 0, 2), port: 0xc001 };

interface Said {
  readonly answers: readonly string[];
  readonly request?: ProxyRequest;
  readonly left: string;
  readonly isOver: boolean;
}

/** Says the pieces to a proxy as far as it listens. */
function say(pieces: readonly Uint8Array[]): Said {
  const handshake = new Handshake();
  const answers: string[] = [];
  const all = pieces.flatMap((piece) => [...piece]);
  let given = 0;
  let ends = 0;
  for (const piece of pieces) {
    ends += piece.length;
    while (given < ends) {
      const room = handshake.openRoom();
      expect(room).toBeGreaterThan(0);
      const count = Math.min(room, ends - given);
      handshake.bytes.set(all.slice(given, given + count), handshake.length);
      handshake.take(count);
      given += count;
      for (;;) {
        const heard = handshake.read();
        if (heard.kind === "more") break;
        if (heard.kind === "say") answers.push(toHex(heard.octets));
        else {
          const rest = [...handshake.bytes.subarray(0, handshake.length), ...all.slice(given)];
          const left = toHex(Uint8Array.from(rest));
          if (heard.kind === "request") return { answers, request: heard.request, left, isOver: true };
          return { answers: [...answers, toHex(heard.octets)], left: "", isOver: true };
        }
      }
    }
  }
  return { answers, left: "", isOver: false };
}

function hostText(host: Host | undefined): string | undefined {
  return typeof host === "object" ? toHex(host) : host;
}

function asks(octets: Uint8Array) {
  const { answers, request, left } = say([octets]);
  for (const pieces of cuts(octets)) {
    const other = say(pieces);
    expect(other.answers).toEqual([...answers]);
    expect(hostText(other.request?.host)).toBe(hostText(request?.host));
    expect(other.request?.port).toBe(request?.port);
    expect(other.request && toHex(other.request.first)).toBe(request && toHex(request.first));
    expect(other.left).toBe(left);
  }
  return { answers, request, host: hostText(request?.host), port: request?.port, left };
}

describe("SOCKS5", () => {
  test.each([
    ["an IPv4 address", "0501 00 0501 00 01 c0000250 0050", "c0000250", 80],
    ["a name", "0502 0200 0501 00 03 0b 6578616d706c652e636f6d 01bb", "example.com", 443],
    ["an IPv6 address", "0501 00 0501 00 04 20010db8000000000000000000000001 0016", `20010db8${"0".repeat(23)}1`, 22],
    ["an address as a name", "0501 00 0501 00 03 07 31302e302e302e31 0050".replace("07", "08"), "0a000001", 80],
  ])("CONNECT to %s", (_, octets, host, port) => {
    const asked = asks(fromHex(`${octets} 6869`));
    expect(asked).toMatchObject({ answers: ["0500"], host, port, left: "6869" });
    expect(asked.request?.command).toBe("connect");
    expect(toHex(asked.request!.answer(Outcome.GRANTED, BOUND))).toBe("050000010a000002c001");
  });

  test("each outcome has its code", () => {
    const { request } = asks(fromHex("0501 00 0501 00 01 c0000250 0050"));
    const codes = Object.values(Outcome).map((outcome) => [outcome, request!.answer(outcome)[1]]);
    expect(Object.fromEntries(codes)).toEqual({
      granted: 0,
      failed: 1,
      prohibited: 2,
      "net-unreachable": 3,
      "no-link": 3,
      "host-unreachable": 4,
      "timed-out": 4,
      "no-such-name": 4,
      "no-name-server": 4,
      refused: 5,
      unsupported: 7,
    });
  });

  test.each([
    ["only a user with a password is offered", "0501 02", ["05ff"]],
    ["no method is offered", "0500", ["05ff"]],
    ["BIND", "0501 00 0502 00 01 c0000250 0050", ["0500", "05070001000000000000"]],
    ["an unknown type of address", "0501 00 0501 00 09 00", ["0500", "05080001000000000000"]],
    ["an empty name", "0501 00 0501 00 03 00 0050", ["0500", "05010001000000000000"]],
    ["a name with a NUL", "0501 00 0501 00 03 02 6100 0050", ["0500", "05010001000000000000"]],
    ["another version in the request", "0501 00 0401", ["0500", ""]],
  ])("%s is refused", (_, octets, answers) => {
    expect(asks(fromHex(octets)).answers).toEqual(answers);
  });

  test("UDP ASSOCIATE", () => {
    const asked = asks(fromHex("0501 00 0503 00 01 00000000 0000"));
    expect(asked.request?.command).toBe("datagrams");
  });
});

describe("SOCKS4", () => {
  test.each([
    ["an address", "0401 0050 c0000250 626f6200", "c0000250"],
    ["a name (4A)", "0401 0050 00000001 00 6578616d706c652e636f6d00", "example.com"],
  ])("CONNECT to %s", (_, octets, host) => {
    const asked = asks(fromHex(`${octets} 6869`));
    expect(asked).toMatchObject({ answers: [], host, port: 80, left: "6869" });
    expect(toHex(asked.request!.answer(Outcome.GRANTED, BOUND))).toBe("005ac0010a000002");
    expect(toHex(asked.request!.answer(Outcome.REFUSED))).toBe("005b000000000000");
  });

  test.each([
    ["BIND", "0402 0050 c0000250 00"],
    ["an endless user", `0401 0050 c0000250 ${"61".repeat(256)}`],
    ["an endless name", `0401 0050 00000001 00 ${"61".repeat(256)}`],
    ["an empty name", "0401 0050 00000001 00 00"],
  ])("%s is refused", (_, octets) => {
    expect(asks(fromHex(octets)).answers).toEqual(["005b000000000000"]);
  });
});

describe("HTTP CONNECT", () => {
  test.each([
    ["example.com:443", "example.com", 443],
    ["192.0.2.80:22", "c0000250", 22],
    ["[2001:db8::1]:443", `20010db8${"0".repeat(23)}1`, 443],
  ])("to %s", (target, host, port) => {
    const header = `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Connection: keep-alive\r\n\r\n`;
    const asked = asks(bytesOf(`${header}hi`));
    expect(asked).toMatchObject({ answers: [], host, port, left: "6869" });
    expect(textOf(asked.request!.answer(Outcome.GRANTED))).toBe("HTTP/1.1 200 Connection established\r\n\r\n");
    expect(textOf(asked.request!.answer(Outcome.NO_SUCH_NAME))).toBe(
      "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: 42\r\nConnection: close\r\n\r\n" +
        "nullmodem: There is no host of this name.\n",
    );
  });

  test("bare line feeds end lines too", () => {
    expect(asks(bytesOf("CONNECT a:1 HTTP/1.0\n\n"))).toMatchObject({ host: "a", port: 1, left: "" });
  });
});

describe("a whole URL", () => {
  test("becomes a request to the server, which closes the connection", () => {
    const asked = asks(
      bytesOf(
        "GET http://user@Example.com:8080/a?b=c#d HTTP/1.1\r\nHost: other\r\nAccept: */*\r\nTE: trailers\r\n" +
          "Proxy-Authorization: Basic eA==\r\nConnection: keep-alive, TE\r\nProxy-Connection: keep-alive\r\n\r\nbody",
      ),
    );
    expect(asked).toMatchObject({ host: "Example.com", port: 8080, left: toHex(bytesOf("body")) });
    expect(textOf(asked.request!.first)).toBe(
      "GET /a?b=c HTTP/1.1\r\nHost: Example.com:8080\r\nAccept: */*\r\nConnection: close\r\n\r\n",
    );
    expect(asked.request!.answer(Outcome.GRANTED)).toHaveLength(0);
    expect(textOf(asked.request!.answer(Outcome.NO_LINK))).toStartWith("HTTP/1.1 503 Service Unavailable\r\n");
  });

  test.each([
    ["GET http://a HTTP/1.0", "GET / HTTP/1.0"],
    ["GET http://a?q HTTP/1.1", "GET /?q HTTP/1.1"],
    ["OPTIONS http://a HTTP/1.1", "OPTIONS * HTTP/1.1"],
    ["POST HTTP://[::1]:81/x HTTP/1.1", "POST /x HTTP/1.1"],
  ])("%s", (line, sent) => {
    expect(textOf(asks(bytesOf(`${line}\r\n\r\n`)).request!.first)).toStartWith(`${sent}\r\nHost: `);
  });
});

describe("what is no request", () => {
  test.each([
    ["GET / HTTP/1.1", "400 Bad Request"],
    ["GET http:///x HTTP/1.1", "400 Bad Request"],
    ["GET http://a:0/ HTTP/1.1", "400 Bad Request"],
    ["GET http://a:70000/ HTTP/1.1", "400 Bad Request"],
    ["GET http://a b/ HTTP/1.1", "400 Bad Request"],
    ["GET https://a/ HTTP/1.1", "501 Not Implemented"],
    ["CONNECT a HTTP/1.1", "400 Bad Request"],
    ["CONNECT a:1", "400 Bad Request"],
    ["GET http://a/ HTTP/1.1\r\n folded: x", "400 Bad Request"],
    ["GET http://a/ HTTP/2.0", "400 Bad Request"],
  ])("%s: %s", (line, status) => {
    const { answers } = asks(bytesOf(`${line}\r\n\r\n`));
    expect(answers.map((answer) => textOf(fromHex(answer)).split("\r\n")[0])).toEqual([`HTTP/1.1 ${status}`]);
  });

  test("a header that is too long is not kept", () => {
    const { answers } = say([bytesOf(`GET http://a/ HTTP/1.1\r\nX: ${"x".repeat(20_000)}`)]);
    expect(textOf(fromHex(answers[0]!))).toStartWith("HTTP/1.1 431 ");
    // It is searched for its end once, not again with each octet.
    const slow = say(Array.from(bytesOf("G".repeat(20_000)), (octet) => Uint8Array.of(octet)));
    expect(textOf(fromHex(slow.answers[0]!))).toStartWith("HTTP/1.1 431 ");
  });

  test.each(["16030100", "00", "0d0a"])("%s is not answered", (octets) => {
    expect(asks(fromHex(octets)).answers).toEqual([""]);
  });
});
