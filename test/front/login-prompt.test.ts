// The login prompts: what is echoed and what is not, the keys that correct, every kind of Enter, and the front around them.

import { expect, test } from "bun:test";
import { Ring } from "../../src/bytes/ring.ts";
import { bytesOf, fromHex, textOf } from "../../src/bytes/text.ts";
import { type Answered, type Caller, Front } from "../../src/front/front.ts";
import { type Credentials, Login } from "../../src/front/login-prompt.ts";
import { cuts } from "../kit/cuts.ts";

const REQUEST = fromHex("7eff7d23c0217d217d217d207d2e7d227d267d207d207d207d207d277d227d287d22e19b7e");
const ZAPHOD = { user: "zaphod", password: "gargleBlaster" };

function typed(octets: Uint8Array | string): { said: string; credentials: Credentials | undefined } {
  const login = new Login();
  login.begin(0);
  for (const octet of typeof octets === "string" ? bytesOf(octets) : octets) login.octet(octet);
  return { said: login.takeWords(), credentials: login.takeCredentials() };
}

test("the name is echoed and the password is not", () => {
  expect(typed("zaphod\rgargleBlaster\r")).toEqual({
    said: "\r\nlogin: zaphod\r\nPassword: \r\n",
    credentials: ZAPHOD,
  });
});

for (const end of ["\r", "\n", "\r\n", "\r\0"])
  test(`Enter may be ${JSON.stringify(end)}, and an empty name is asked for again`, () => {
    const { said, credentials } = typed(`${end} zaphod ${end}gargleBlaster${end}`);
    expect(said).toBe("\r\nlogin: \r\nlogin:  zaphod \r\nPassword: \r\n");
    expect(credentials).toEqual(ZAPHOD);
  });

test("backspace, delete and ^U correct the name on the terminal, and the password in silence", () => {
  const { said, credentials } = typed("\x08ford\x15zapp\x7fhod\rgo\x08argleBlaster\x15gargleBlasterx\x7f\r");
  const erase = "\b \b";
  expect(said).toBe(`\r\nlogin: ford${erase.repeat(4)}zapp${erase}hod\r\nPassword: \r\n`);
  expect(credentials).toEqual(ZAPHOD);
});

test("backspace and delete remove one octet each", () => {
  for (const key of ["\x08", "\x7f"])
    expect(typed(`zaphox${key}d\rgargleBlastex${key}r\r`)).toEqual({
      said: "\r\nlogin: zaphox\b \bd\r\nPassword: \r\n",
      credentials: ZAPHOD,
    });
});

test("a parity bit is not a part of name and password; without one a password may have any octet", () => {
  const even = (octet: number): number => {
    let ones = 0;
    for (let bit = 0; bit < 7; bit++) ones += (octet >> bit) & 1;
    return octet | ((ones & 1) << 7);
  };
  expect(typed(bytesOf("zaphod\rgargleBlaster\r").map(even)).credentials).toEqual(ZAPHOD);
  expect(typed(bytesOf("zaphod\rgargleBlaster\r").map((octet) => octet | 0x80)).credentials).toEqual(ZAPHOD);
  expect(typed("zaphod\rt\xc3\xa9\r").credentials?.password).toBe("t\xc3\xa9");
});

test("more octets than a name can have fill no memory, and the name is not the beginning of them", () => {
  const { said, credentials } = typed(`${"z".repeat(100_000)}\r${"p".repeat(100_000)}\r`);
  expect([credentials?.user.length, credentials?.password.length, said.length]).toEqual([256, 256, 279]);
});

test("three tries, or a minute, and it is over", () => {
  const login = new Login();
  login.begin(0);
  for (let round = 1; round <= 3; round++) {
    for (const octet of bytesOf("ford\rtowel\r")) login.octet(octet);
    expect(login.takeCredentials()).toEqual({ user: "ford", password: "towel" });
    expect(login.takeCredentials()).toBeUndefined();
    login.judged(false);
    expect(login.takeWords().endsWith(round < 3 ? "Login incorrect\r\nlogin: " : "Login incorrect\r\n")).toBe(true);
  }
  expect(login.stage).toBe("over");
  login.begin(1000);
  expect(login.nextTimeout()).toBe(61_000);
  login.handleTimeout(61_000);
  expect([login.stage, login.takeWords()]).toEqual(["over", "\r\nlogin: \r\nLogin timed out after 60 seconds\r\n"]);
});

interface Heard {
  readonly callers: Caller[];
  readonly decision: Answered | undefined;
  readonly said: string;
  readonly left: string;
}

/** Plays a caller that presses Enter and sends these pieces at the prompt. zaphod's password is right. */
function atPrompt(
  pieces: readonly Uint8Array[],
  answers: readonly Answered[] = ["ppp", "windows", "modem", "login"],
): Heard {
  const input = new Ring(new Uint8Array(8192));
  const output = new Ring(new Uint8Array(8192));
  const front = new Front({ answers, modem: { speed: 9600, isStrict: false } }, output);
  const put = (octets: Uint8Array): void => {
    input.bytes.set(octets, input.writeAt);
    input.commit(octets.length);
    front.receive(input, 0);
    for (let asked; (asked = front.takeCredentials()) !== undefined; front.receive(input, 0))
      front.judged(asked.user === ZAPHOD.user && asked.password === ZAPHOD.password, input);
    front.flush();
  };
  put(bytesOf("\r"));
  expect(output.length).toBe(0);
  front.handleTimeout(300);
  for (const piece of pieces) put(piece);
  const callers: Caller[] = [];
  for (let caller; (caller = front.takeCaller()) !== undefined;) callers.push(caller);
  const left = textOf(input.bytes.subarray(input.readAt), 0, input.length);
  return { callers, decision: front.decision, said: textOf(output.bytes, 0, output.length), left };
}

function concat(...pieces: readonly (string | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...(typeof piece === "string" ? bytesOf(piece) : piece)]));
}

test("a login in any pieces leads to PPP, and octets that were sent ahead are PPP's", () => {
  for (const pieces of cuts(concat("ford\rtowel\rzaphod\rgargleBlaster\r", REQUEST))) {
    const { callers, decision, said, left } = atPrompt(pieces);
    expect([callers, decision, left]).toEqual([["prompted", "login"], "login", textOf(REQUEST)]);
    expect(said).toBe("\r\nlogin: ford\r\nPassword: \r\nLogin incorrect\r\nlogin: zaphod\r\nPassword: \r\n\r\n~");
  }
});

test("PPP in the middle of a name or a password is never missed", () => {
  for (const before of ["", "zaph", "zaphod\r", "zaphod\rgarg"])
    for (const pieces of cuts(concat(before, REQUEST))) {
      const { decision, left } = atPrompt(pieces);
      expect([decision, left]).toEqual(["ppp", textOf(REQUEST)]);
    }
});

test("modem programs and Windows are recognised at the prompt, and a name may begin with at", () => {
  expect(atPrompt([bytesOf("ATZ\rATDT1\r")]).decision).toBe("modem");
  expect(atPrompt([bytesOf("ATZ\r\ratdt1\r")])).toMatchObject({ decision: "modem", callers: ["prompted", "modem"] });
  expect(atPrompt([bytesOf("CLIENT")]).decision).toBe("windows");
  const { said } = atPrompt([bytesOf("atlas\rCLIENT ATZ\r")]);
  expect(said).toBe("\r\nlogin: atlas\r\nPassword: \r\nLogin incorrect\r\nlogin: ");
});

test("prompts that come back, or those of a getty, end the prompts for a minute", () => {
  const input = new Ring(new Uint8Array(8192));
  const output = new Ring(new Uint8Array(8192));
  const front = new Front({ answers: ["ppp", "login"], modem: { speed: 9600, isStrict: false } }, output);
  const said = (text: string, now: number): string => {
    input.put(bytesOf(text));
    front.receive(input, now);
    if (front.nextTimeout() <= now + 1000) front.handleTimeout(now + 1000);
    front.flush();
    const words = textOf(output.bytes.slice(output.readAt), 0, output.length);
    output.consume(output.length);
    return words;
  };
  expect(said("\r", 0)).toBe("\r\nlogin: ");
  expect(said("\r\nlogin: ", 1000)).toBe("\r\nlogin: login");
  expect(said("\r\r", 2000)).toBe("");
  expect(said("\r\nbox login: ", 30_000)).toBe("");
  expect(said("\r", 89_000)).toBe("");
  expect(said("\r", 91_000)).toBe("\r\nlogin: ");
  expect([front.takeCaller(), front.takeCaller(), front.takeCaller()]).toEqual(["prompted", "getty", undefined]);
});

test("a frame of PPP at the name prompt is neither echoed nor a name, whatever is in it", () => {
  const frame = fromHex("7e ff7d23 c021 8d8d8a8d 7e 218d 7e");
  const { said, credentials } = typed(concat("za", frame, "\r", "zaphod\rgargleBlaster\r"));
  expect(said).toBe("\r\nlogin: za\b \b\b \b\r\nlogin: zaphod\r\nPassword: \r\n");
  expect(credentials).toEqual(ZAPHOD);
});
