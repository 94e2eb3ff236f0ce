// The modem's commands and results, and the way between its command line and PPP.

import { describe, expect, test } from "bun:test";
import { Ring } from "../../src/bytes/ring.ts";
import { bytesOf, textOf } from "../../src/bytes/text.ts";
import { Modem, type ModemAct } from "../../src/front/modem.ts";
import { type Connection, ModemLine } from "../../src/front/modem-line.ts";

function made(settings: Partial<ConstructorParameters<typeof Modem>[0]> = {}): Modem {
  return new Modem({ speed: 115200, isStrict: false, ...settings });
}

function says(modem: Modem, text: string): { said: string; act: ModemAct | undefined } {
  let act: ModemAct | undefined;
  for (const octet of bytesOf(text)) act = modem.octet(octet) ?? act;
  return { said: modem.takeWords(), act };
}

/** What is said to each line in turn. */
function dialogue(lines: readonly (readonly [line: string, said: string, act?: ModemAct])[], modem = made()): void {
  for (const [line, said, act] of lines) expect([line, says(modem, line)]).toEqual([line, { said, act }]);
}

const OK = "\r\nOK\r\n";
const ERROR = "\r\nERROR\r\n";

describe("the modem", () => {
  test("echoes commands and answers in words, without echo, in numbers, or not at all", () =>
    dialogue([
      ["AT\r", `AT\r${OK}`],
      ["atz\r", `atz\r${OK}`],
      ["ATE0\r", `ATE0\r${OK}`],
      ["AT\r", OK],
      ["ATV0\r", "0\r"],
      ["ATS99?E2\r", "000\r\n4\r"],
      ["ATQ1\r", ""],
      ["ATE2\r", ""],
      ["ATQ0V1\r", OK],
      ["ATE\r", OK],
      ["AT&FE1\r", OK],
      ["AT\r", `AT\r${OK}`],
    ]));

  test("takes several commands on a line, spaces, and what programs send to make it ready", () =>
    dialogue([
      ["ATQ0 V1 E1 S0=0 &C1 &D2 +FCLASS=0\r", `ATQ0 V1 E1 S0=0 &C1 &D2 +FCLASS=0\r${OK}`],
      ["ATE0M1L3X4&K3\\N3%C1\r", `ATE0M1L3X4&K3\\N3%C1\r${OK}`],
      ['AT+CGDCONT=1,"IP","net";S7=60\r', OK],
      ["ATS0=5S7?\r", `\r\n060\r\n${OK}`],
      ["ATS0?\r", `\r\n005\r\n${OK}`],
      ["ATI\r", `\r\nnullmodem\r\n${OK}`],
      ["ATI3H0\r", `\r\nnullmodem\r\n${OK}`],
      ["ATS7=300\r", ERROR],
      ["ATX9E1\r", ERROR],
      ["AT\r", OK],
    ]));

  test("repeats the last line for A/, which needs no Return", () =>
    dialogue([
      ["A/", `A/${OK}`],
      ["ATS7?\r", `ATS7?\r\r\n050\r\n${OK}`],
      ["A/", `A/\r\n050\r\n${OK}`],
      ["ATDT5\r", "ATDT5\r\r\nCONNECT 115200\r\n", "connect"],
    ]));

  test("takes back what Backspace takes back, ends lines with S3, and finds AT after other octets", () =>
    dialogue([
      ["ATX\bE0\r", `ATX\b \bE0\r${OK}`],
      ["\x00\xff+++~~AT\r", OK],
      ["A\xd4\r", OK],
      ["CATCH\r", ""],
      ["ATS3=33\r", "!\nOK!\n"],
      ["AT!", "!\nOK!\n"],
    ]));

  test("answers OK to what it does not know, unless it is strict", () => {
    dialogue([["ATE0R9?=!\r", `ATE0R9?=!\r${OK}`]]);
    dialogue([["ATE0+XYZ\r", `ATE0+XYZ\r${ERROR}`]], made({ isStrict: true }));
    dialogue([["ATR1\r", `ATR1\r${ERROR}`]], made({ isStrict: true }));
  });

  test("reaches PPP by any number and by ATA; not by the words slip and login; a semicolon stays in command", () => {
    for (const number of ["DT777", "D 01 23-45", "DP9,W123", "DTppp", "D", "DL", "A"])
      expect(says(made(), `AT${number}\r`)).toEqual({
        said: `AT${number}\r\r\nCONNECT 115200\r\n`,
        act: "connect",
      });
    for (const word of ["DTslip", "DSLIP", "DPlogin"])
      expect(says(made(), `AT${word}\r`).said).toEndWith("\r\nNO CARRIER\r\n");
    dialogue([["ATE0DT123;\r", `ATE0DT123;\r${OK}`]]);
  });

  test("says CONNECT as X, V and the settings have it", () => {
    const connects = (line: string, settings = {}): string =>
      says(made(settings), `ATE0${line}DT1\r`).said.slice(line.length + 8);
    expect(connects("X0")).toBe("\r\nCONNECT\r\n");
    for (const extent of ["X1", "X2", "X3", "X4"]) expect(connects(extent)).toBe("\r\nCONNECT 115200\r\n");
    expect(connects("V0")).toBe("19\r");
    expect(connects("V0X0")).toBe("1\r");
    expect(connects("V0", { speed: 31250 })).toBe("1\r");
    expect(connects("Q1")).toBe("");
    expect(connects("", { speed: 0 })).toBe("\r\nCONNECT\r\n");
    expect(connects("", { connectText: "CONNECT 2400" })).toBe("\r\nCONNECT 2400\r\n");
  });

  test("Q2 is silent about calls that it answers, and only about those", () =>
    dialogue([
      ["ATQ2E0\r", `ATQ2E0\r${OK}`],
      ["ATD1\r", "\r\nCONNECT 115200\r\n", "connect"],
      ["ATZ\r", OK, "hang-up"],
      ["ATE0Q2\r", `ATE0Q2\r${OK}`],
      ["ATA\r", "", "connect"],
    ]));

  test("rings as S0 and S1 count, and answers by itself", () => {
    const modem = made();
    says(modem, "ATE0\r");
    expect([modem.ring(), modem.ring(), modem.takeWords()]).toEqual([undefined, undefined, "\r\nRING\r\n".repeat(2)]);
    dialogue(
      [
        ["ATS1?V0\r", "\r\n002\r\n0\r"],
        ["ATS0=3\r", "0\r"],
      ],
      modem,
    );
    expect([modem.ring(), modem.takeWords(), modem.isConnected]).toEqual(["connect", "2\r19\r", true]);
    expect(says(modem, "ATS1?\r").said).toBe("000\r\n0\r");
  });

  test("answers the first ring with S0=1, and none with S0=0", () => {
    const modem = made();
    says(modem, "ATE0\r");
    for (let count = 1; count <= 300; count++) expect([modem.ring(), modem.isAnswering]).toEqual([undefined, false]);
    modem.takeWords();
    expect(says(modem, "ATS1?\r").said).toBe(`\r\n255\r\n${OK}`);
    says(modem, "ATS0=1S1=0\r");
    expect([modem.ring(), modem.isAnswering, modem.isConnected]).toEqual(["connect", true, true]);
  });

  test("&W stores what ATZ brings back; &F has the factory's settings", () =>
    dialogue([
      ["ATE0S7=33&W\r", `ATE0S7=33&W\r${OK}`],
      ["ATE1S7=44\r", OK],
      ["ATZ\r", `ATZ\r${OK}`],
      ["ATS7?\r", `\r\n033\r\n${OK}`],
      ["AT&FS7?\r", `\r\n050\r\n${OK}`],
      ["ATZ\r", `ATZ\r${OK}`],
      ["ATS7?\r", `\r\n033\r\n${OK}`],
    ]));

  test("DCD follows the connection with &C1, and stays on otherwise", () => {
    const modem = made();
    expect(modem.carrier).toBe(true);
    says(modem, "AT&C1\r");
    expect(modem.carrier).toBe(false);
    says(modem, "ATDT1\r");
    expect(modem.carrier).toBe(true);
    modem.disconnected();
    expect([modem.carrier, modem.takeWords()]).toEqual([false, "\r\nNO CARRIER\r\n"]);
  });

  test("a line that is too long is an error, and the answers that nobody takes are bounded", () => {
    const modem = made();
    expect(says(modem, `ATE0\rAT${"X".repeat(300)}\r`).said).toEndWith(ERROR);
    for (let times = 0; times < 1000; times++) for (const octet of bytesOf("ATI\r")) modem.octet(octet);
    expect(modem.takeWords().length).toBeLessThanOrEqual(4096);
  });
});

/** A connection that keeps what it gets. */
class Keeper implements Connection {
  readonly packet = new Uint8Array(0);
  readonly packetStart = 0;
  readonly packetEnd = 0;
  isMuted = false;
  got = "";
  /** When it was to send what waits. */
  readonly flushedAt: number[] = [];
  receive(input: Ring): boolean {
    for (; input.length > 0; input.consume(1)) this.got += textOf(input.bytes, input.readAt, input.readAt + 1);
    return false;
  }
  flush(now: number): void {
    this.flushedAt.push(now);
  }
  nextTimeout(): number {
    return Infinity;
  }
  handleTimeout(): void {}
}

function online() {
  const modem = made();
  says(modem, "ATE0DT1\r");
  const connection = new Keeper();
  const [input, output] = [new Ring(new Uint8Array(1024)), new Ring(new Uint8Array(1024))];
  const line = new ModemLine({ modem, connection, input, output }, 0);
  const hear = (text: string, now: number): void => {
    input.bytes.set(bytesOf(text), input.writeAt);
    input.commit(text.length);
    line.receive(input, now);
  };
  const pass = (now: number): void => {
    if (line.nextTimeout() <= now) line.handleTimeout(now);
  };
  const said = (now: number): string => {
    line.flush(now);
    const text = textOf(output.bytes, output.readAt, output.readAt + output.length);
    output.consume(output.length);
    return text;
  };
  return { modem, connection, line, hear, pass, said, output };
}

describe("a line whose caller has dialled", () => {
  test("a flush is the connection's too", () => {
    const { connection, line } = online();
    const before = connection.flushedAt.length;
    line.flush(77);
    expect(connection.flushedAt.slice(before)).toEqual([77]);
  });

  test("an answer waits until the output has room", () => {
    const { hear, pass, said, output } = online();
    output.commit(output.free);
    hear("+++", 2000);
    pass(3010);
    expect(said(3010).length).toBe(output.capacity);
    expect(said(3010)).toBe(OK);
  });

  test("+++ between pauses leads to the commands, in one piece or in three, and ATO back", () => {
    for (const pieces of [["+++"], ["+", "+", "+"], ["++", "+"]]) {
      const { connection, hear, pass, said } = online();
      hear("~frame~", 10);
      for (const [at, piece] of pieces.entries()) hear(piece, 2000 + at);
      pass(2500);
      expect([connection.isMuted, said(2500)]).toEqual([false, ""]);
      pass(3010);
      expect([connection.isMuted, said(3010)]).toEqual([true, OK]);
      hear("ATE0\rATO\r~more~", 4000);
      expect([connection.isMuted, said(4000)]).toEqual([false, `${OK}\r\nCONNECT 115200\r\n`]);
      expect(connection.got).toBe("~frame~~more~");
    }
  });

  test("the deadline that it names is the end of the pause, whatever the fractions of the time are", () => {
    const { connection, line, hear } = online();
    // 3118.076388888889 + 1000 - 3118.076388888889 is less than 1000.
    hear("+++", 3118.076388888889);
    line.handleTimeout(line.nextTimeout());
    expect(connection.isMuted).toBe(true);
  });

  test("nothing can be dialled while a connection exists", () => {
    const { modem } = online();
    for (const command of ["ATDT1", "ATA"])
      expect(says(modem, `${command}\r`)).toEqual({ said: ERROR, act: undefined });
  });

  test("without the pauses, with other octets, or with S2 above 127, the connection gets every octet", () => {
    const { connection, line, hear, pass } = online();
    hear("x+++", 5000);
    pass(9000);
    hear("~", 9500);
    hear("+++", 9600);
    pass(12_000);
    hear("+++~", 15_000);
    hear("++", 20_000);
    pass(25_000);
    hear("+", 25_001);
    hear("+++", 30_000);
    hear("y", 30_500);
    pass(40_000);
    expect([connection.got, connection.isMuted, line.isHungUp]).toEqual(["x+++~++++++~++++++y", false, false]);
    const other = online();
    says(other.modem, "ATS2=200\r");
    other.hear("+++", 5000);
    expect(other.connection.got).toBe("+++");
  });

  test("the command that comes with the end of the pause is a command", () => {
    const { line, hear, said } = online();
    hear("+++", 2000);
    hear("ATH\r", 3500);
    expect([line.isHungUp, said(3500)]).toEqual([true, `${OK}${OK}`]);
  });

  test("S2 and S12 set the octet and the pause", () => {
    const { connection, modem, hear, pass } = online();
    says(modem, "ATS2=42S12=10\r");
    hear("***", 300);
    pass(400);
    expect(connection.isMuted).toBe(false);
    pass(501);
    expect(connection.isMuted).toBe(true);
  });

  test("ATH and ATZ hang up, and so does a DTR that falls, unless &D0", () => {
    for (const command of ["ATH\r", "ATH0\r", "ATZ\r"]) {
      const { line, hear, pass, said } = online();
      hear("+++", 2000);
      pass(3500);
      hear(command, 3600);
      expect([line.isHungUp, said(3600)]).toEqual([true, `${OK}${OK}`]);
    }
    const { line, modem } = online();
    says(modem, "AT&D0\r");
    line.dtrFell();
    expect(line.isHungUp).toBe(false);
    says(modem, "AT&D2\r");
    line.dtrFell();
    expect(line.isHungUp).toBe(true);
  });

  test("with &D1 a DTR that falls leads to the commands, and with &D3 it resets the modem too", () => {
    const { connection, line, modem, hear, said } = online();
    says(modem, "AT&D1\r");
    line.dtrFell();
    expect([connection.isMuted, line.isHungUp, said(10)]).toEqual([true, false, OK]);
    hear("ATO\r", 20);
    expect([connection.isMuted, said(20)]).toEqual([false, "\r\nCONNECT 115200\r\n"]);
    says(modem, "AT&D3S7=9\r");
    line.dtrFell();
    expect([line.isHungUp, says(modem, "ATS7?\r").said]).toEqual([true, `ATS7?\r\r\n050\r\n${OK}`]);
  });

  test("without a guard time, +++ needs no pauses", () => {
    for (const pieces of [["+++"], ["+", "++"]]) {
      const { connection, modem, hear, pass } = online();
      says(modem, "ATS12=0\r");
      hear("~", 10);
      for (const piece of pieces) hear(piece, 11);
      pass(11);
      expect([connection.isMuted, connection.got]).toEqual([true, "~"]);
    }
  });

  test("the caller hears NO CARRIER when PPP ends, and nothing more when it hung up itself", () => {
    const { line, said } = online();
    line.ends(100);
    expect(said(100)).toBe("\r\nNO CARRIER\r\n");
    const other = online();
    other.line.dtrFell();
    other.line.ends(100);
    expect(other.said(100)).toBe("");
  });
});
