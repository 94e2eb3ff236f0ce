// The calling side and each kind of other end, at speeds that it does not know: what is found, after how long, and what is said.

import { describe, expect, test } from "bun:test";
import { Ring } from "../../src/bytes/ring.ts";
import { bytesOf, textOf } from "../../src/bytes/text.ts";
import { Conversation } from "../../src/front/conversation.ts";
import { Caller, type CallerSettings, type Sight } from "../../src/front/caller.ts";
import { Front } from "../../src/front/front.ts";
import { questionFrame } from "../../src/front/question.ts";
import { candidates } from "../../src/front/speeds.ts";
import { pppFormat, received } from "../kit/uart.ts";

const SPEEDS = [115200, 57600, 38400, 19200, 9600, 230400, 921600];
const ACCOUNT = { user: "zaphod", password: "gargleBlaster", number: "777" };
/** Another end's Configure-Request. */
const REQUEST = questionFrame(0x0badcafe);
const LATENCY_MS = 15;

/** What the other end answers to what it hears. */
type Peer = (text: string, now: number) => string;

function take(ring: Ring): Uint8Array {
  const octets = Uint8Array.from({ length: ring.length }, (_, at) => ring.bytes[(ring.readAt + at) % ring.capacity]!);
  ring.consume(ring.length);
  return octets;
}

/** The octets as a port at `to` hears them from one at `from`. */
function heard(octets: Uint8Array, from: number, to: number): Uint8Array {
  if (from === to) return octets;
  return received(octets, pppFormat(from), { ...pppFormat(to), iflag: 0 }).octets;
}

/** Plays until the caller has decided or given up, or the time is over. */
function call(peer: Peer, peerSpeed: number, settings: Partial<CallerSettings> = {}, limitMs = 30_000) {
  const input = new Ring(new Uint8Array(4096));
  const output = new Ring(new Uint8Array(4096));
  const speeds = candidates([]);
  const caller = new Caller({ ...ACCOUNT, speeds, magic: 0x12345678, ...settings }, output);
  const events: { at: number; run(): void }[] = [];
  const sights: Sight[] = [];
  let speed = 0;
  let now = 0;
  const later = (octets: number, rate: number, run: () => void): void =>
    void events.push({ at: now + LATENCY_MS + (octets * 10_000) / rate, run });
  const say = (text: string): void => {
    if (text === "") return;
    later(text.length, peerSpeed, () => {
      for (const octet of heard(bytesOf(text), peerSpeed, speed)) {
        input.bytes[input.writeAt] = octet;
        input.commit(1);
      }
      caller.receive(input, now);
    });
  };
  say(peer("", 0));
  while (now < limitMs && caller.failure === undefined && caller.decision === undefined) {
    if (caller.wants !== undefined) {
      speed = caller.wants;
      caller.tuned(now);
    }
    caller.flush();
    const sent = take(output);
    const sentAt = speed;
    if (sent.length > 0) later(sent.length, sentAt, () => say(peer(textOf(heard(sent, sentAt, peerSpeed)), now)));
    events.sort((one, other) => one.at - other.at);
    const next = events[0];
    now = Math.max(now, Math.min(next?.at ?? Infinity, caller.nextTimeout()));
    if (now === Infinity) throw new Error("the caller waits for nothing");
    if (next !== undefined && next.at <= now) events.shift()!.run();
    if (caller.nextTimeout() <= now) caller.handleTimeout(now);
  }
  for (let sight; (sight = caller.takeSight()) !== undefined;) sights.push(sight);
  const { decision, failure } = caller;
  return { decision, failure, now, speed, what: sights.map(({ what }) => what), sights, left: textOf(take(input)) };
}

/** A login program: it takes lines, clears them at ^U, and after the right password it is `then`. */
function getty(then: Peer, { echoes = true, banner = "\r\nnear login: " } = {}): Peer {
  let line = "";
  let user: string | undefined;
  let isIn = false;
  return (text, now) => {
    if (isIn) return then(text, now);
    let said = "";
    for (const char of text) {
      if (char === "\x15") line = "";
      else if (char !== "\r") {
        line += char;
        if (echoes && user === undefined) said += char;
      } else {
        if (user === undefined && line === "") said += banner;
        else if (user === undefined) {
          user = line;
          said += "\r\nPassword: ";
        } else if (user === ACCOUNT.user && line === ACCOUNT.password) {
          isIn = true;
          said += `\r\nLast login: Mon Nov 30 10:00 on ttyS0\r\n${then("", now)}`;
        } else {
          user = undefined;
          said += `\r\nLogin incorrect\r\n${banner}`;
        }
        line = "";
      }
    }
    return said;
  };
}

const ppp: Peer = (text) => (text.includes("\x7e") ? textOf(REQUEST) : "");
const windows: Peer = (text) => (text.includes("CLIENT") ? "CLIENTSERVER" : "");
const nobody: Peer = () => "";

describe.each(SPEEDS)("at %d", (speed) => {
  test("PPP is found by its answer, which is left for the link", () => {
    const { decision, now, left, ...found } = call(ppp, speed);
    expect([decision, found.speed, left]).toEqual(["ppp", speed, textOf(REQUEST)]);
    expect(now).toBeLessThan(2500);
  });

  test("Windows answers CLIENT", () => {
    const { decision, now, ...found } = call(windows, speed);
    expect([decision, found.speed]).toEqual(["windows", speed]);
    expect(now).toBeLessThan(6000);
  });

  test("a login program gets the name and the password, and PPP begins", () => {
    const { decision, what, now } = call(
      getty((text) => (text === "" ? textOf(REQUEST) : "")),
      speed,
    );
    expect(decision).toBe("login");
    expect(what.filter((one) => one !== "damage")).toEqual(["text", "user sent", "password sent", "login"]);
    expect(now).toBeLessThan(12_000);
  });

  test("a modem dials, and PPP begins", () => {
    const output = new Ring(new Uint8Array(4096));
    const input = new Ring(new Uint8Array(65536));
    const front = new Front({ answers: ["modem"], modem: { speed, isStrict: true } }, output);
    const modem: Peer = (text, now) => {
      for (const octet of bytesOf(text)) {
        input.bytes[input.writeAt] = octet;
        input.commit(1);
      }
      if (front.decision === undefined) front.receive(input, now);
      front.flush();
      return textOf(take(output));
    };
    const { decision, what, now } = call(modem, speed);
    expect([decision, front.decision]).toEqual(["modem", "modem"]);
    expect(what.slice(-2)).toEqual(["dialling", "modem"]);
    expect(now).toBeLessThan(12_000);
  });
});

describe("login programs", () => {
  test("PPP that waits for us is asked, and so is a menu", () => {
    expect(call(getty(ppp), 9600).decision).toBe("login");
    const menu: Peer = (text) => (text === "" ? "Welcome\r\nnear> " : text.includes("ppp\r") ? textOf(REQUEST) : "");
    expect(call(getty(menu), 9600).decision).toBe("login");
    const mute = call(getty(nobody), 9600);
    expect([mute.decision, mute.failure]).toEqual(["login", undefined]);
  });

  test("a wrong password is tried once", () => {
    const { failure, what } = call(getty(ppp), 19200, { password: "wrong" });
    expect([failure, what.filter((one) => one === "password sent").length]).toEqual(["refused", 1]);
  });

  test("without a name, or without a password, there is nothing to answer", () => {
    expect(call(getty(ppp), 19200, { user: undefined }).failure).toBe("no account");
    expect(call(getty(ppp), 19200, { password: undefined }).failure).toBe("no account");
  });

  test("other texts of prompts are known; a text about the last login is none", () => {
    for (const banner of [
      "\r\nUser Access Verification\r\n\r\nUsername: ",
      "\r\nEnter your user name:",
      "\r\nLogon : ",
    ])
      expect(call(getty(ppp, { banner }), 38400).decision).toBe("login");
    expect(call(getty(ppp, { echoes: false }), 38400).decision).toBe("login");
  });
});

test("a modem that is busy is tried three times", () => {
  let calls = 0;
  const busy: Peer = (text) => {
    if (text.includes("ATDT")) calls++;
    return text.includes("ATDT") ? "\r\nBUSY\r\n" : text.includes("AT\r") ? "\r\nOK\r\n" : "";
  };
  const { decision, what } = call(busy, 115200, {}, 20_000);
  expect([decision, calls % 3]).toEqual([undefined, 0]);
  expect(what.slice(0, 5)).toEqual(["text", "dialling", "no connection", "no connection", "no connection"]);
});

test("a loopback plug is named, and is neither PPP nor a modem", () => {
  const { decision, what } = call((text) => text, 115200, {}, 60_000);
  expect([decision, what.includes("echo")]).toEqual([undefined, true]);
});

test("nobody there: it goes on, and every speed gets its turns", () => {
  const seen = new Set<number>();
  const input = new Ring(new Uint8Array(64));
  const caller = new Caller({ ...ACCOUNT, speeds: candidates([]), magic: 1 }, new Ring(new Uint8Array(4096)));
  let favourite = 0;
  let longest = 0;
  for (let now = 0; now < 10_000; now = caller.nextTimeout()) {
    caller.handleTimeout(now);
    if (caller.wants === 115200) {
      longest = Math.max(longest, now - favourite);
      favourite = now;
    }
    if (caller.wants !== undefined) seen.add(caller.wants);
    caller.tuned(now);
    caller.receive(input, now);
  }
  expect(seen.size).toBe(candidates([]).length);
  // An end that starts at any time is asked at the usual speed within a second.
  expect(longest).toBeLessThan(1000);
});

test("speeds that the port cannot have are left out; with none left it gives up", () => {
  const caller = new Caller({ ...ACCOUNT, speeds: [115200, 9600], magic: 1 }, new Ring(new Uint8Array(4096)));
  caller.cannotTune(0);
  expect([caller.wants, caller.failure]).toEqual([9600, undefined]);
  caller.cannotTune(0);
  expect(caller.failure).toBe("no speed");
});

test("text without an end after the password does not keep PPP away", () => {
  const account = { user: "zaphod", password: "gargleBlaster", number: "777" };
  const conversation = new Conversation(account, "login: ", 0);
  let now = 0;
  const pass = (words: string): void => {
    for (const octet of bytesOf(words)) conversation.octet(octet, now);
    now += 500;
    if (conversation.nextTimeout() <= now) conversation.handleTimeout(now);
  };
  pass("");
  pass("Password: ");
  expect(conversation.hasLoggedIn).toBe(true);
  while (conversation.outcome === undefined && now < 120_000) pass("news\n");
  expect(conversation.outcome).toBe("login");
});
