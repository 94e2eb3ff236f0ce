import { describe, expect, test } from "bun:test";
import { formatIpv4, parseIpv4 } from "../../src/options/numbers.ts";
import { asSentence, lineText, missingText } from "../../src/options/secret-search.ts";
import {
  accessWarning,
  addressAllowed,
  addressList,
  findSecret,
  secretEntries,
  someAddress,
  type AddressList,
  type SecretSource,
} from "../../src/options/secrets.ts";

const SOURCE: SecretSource = { file: "/etc/ppp/pap-secrets" };
const secretOf = (text: string, client?: string, server?: string): string | undefined =>
  findSecret(text, client, server, SOURCE)?.secret;

describe("entries", () => {
  test("client, server, secret, addresses, options", () => {
    expect(secretEntries('# c\nzaphod * "garg le" 10.0.0.1 !10.0.0.2 -- idle 5\n', SOURCE)).toEqual([
      {
        client: "zaphod",
        server: "*",
        secret: "garg le",
        addresses: ["10.0.0.1", "!10.0.0.2"],
        options: ["idle", "5"],
        line: 2,
      },
    ]);
  });

  test("a newline ends an entry, an escaped one does not", () => {
    expect(secretEntries("a *\nb * x\nc * \\\ny *", SOURCE).map(({ client, secret }) => [client, secret])).toEqual([
      ["b", "x"],
      ["c", "y"],
    ]);
  });

  test("the HOWTO's line for everybody", () => {
    expect(findSecret('*  *  ""  *\n', "zaphod", "server", SOURCE)).toMatchObject({
      secret: "",
      addresses: ["*"],
      options: [],
      score: 0,
      entry: { client: "*", server: "*", line: 1 },
    });
  });
});

describe("the best entry", () => {
  const file = "* * any\n* server byserver\nzaphod * byclient\nzaphod server both\nzaphod server again\n";

  test("the client counts more than the server, the first of equals wins", () => {
    expect(secretOf(file, "zaphod", "server")).toBe("both");
    expect(secretOf(file, "zaphod", "other")).toBe("byclient");
    expect(secretOf(file, "ford", "server")).toBe("byserver");
    expect(secretOf(file, "ford", "other")).toBe("any");
    expect(secretOf("* server byserver\nzaphod * byclient", "zaphod", "server")).toBe("byclient");
  });

  test("a name not known matches any", () => {
    expect(secretOf("zaphod * x", undefined, "server")).toBe("x");
    expect(secretOf("zaphod other x", "zaphod", undefined)).toBe("x");
    expect(secretOf("zaphod other x", "zaphod", "server")).toBeUndefined();
  });

  test("only a lone star is one", () => {
    expect(secretOf("z* * x", "zaphod")).toBeUndefined();
    expect(secretOf("Zaphod * x", "zaphod")).toBeUndefined();
  });

  test("a secret in another file", () => {
    const warnings: string[] = [];
    const files: Record<string, string> = { "/s": "hidden rest\n", "/empty": "# no\n" };
    const source = { ...SOURCE, read: (path: string) => files[path], warn: (text: string) => warnings.push(text) };
    expect(findSecret("a * @/s *", "a", undefined, source)?.secret).toBe("hidden");
    expect(findSecret("a * @/empty *\n* * y", "a", undefined, source)?.secret).toBe("y");
    expect(findSecret("a * @/none *\n* * y", "a", undefined, source)?.secret).toBe("y");
    expect(warnings).toEqual(["no secret in indirect secret file /empty", "can't open indirect secret file /none"]);
  });

  test("@login and passwords that start with @ stay as they are", () => {
    expect(secretOf("a * @login", "a")).toBe("@login");
    expect(findSecret("a * @x", "a", undefined, { ...SOURCE, read: () => "no" })?.secret).toBe("@x");
  });

  test("an unclosed quote is complained of", () => {
    const warnings: string[] = [];
    findSecret("a * 'x\n", "a", undefined, { ...SOURCE, warn: (text) => warnings.push(text) });
    expect(warnings).toEqual(["warning: quoted word runs to end of file (/etc/ppp/pap-secrets...)"]);
  });
});

test("an empty secret written with typographic quotes is not one, and that is said", () => {
  const warnings: string[] = [];
  const source = { ...SOURCE, warn: (text: string) => warnings.push(text) };
  const curly = Buffer.from("“”").toString("latin1");
  expect(findSecret(`# x\n* * ${curly} *`, "a", undefined, source)?.secret).toBe(curly);
  expect(findSecret("* * 8220;8221; *", "a", undefined, source)?.secret).toBe("8220;8221;");
  expect(warnings).toEqual(
    [2, 1].map(
      (line) => `/etc/ppp/pap-secrets line ${line}: these quotes are taken for the secret itself; an empty one is ""`,
    ),
  );
});

test("others may not read a secrets file", () => {
  expect(accessWarning("/s", 0o600)).toBeUndefined();
  expect(accessWarning("/s", 0o640)).toBe("Warning - secret file /s has world and/or group access");
  expect(accessWarning("/s", 0o604)).toBeDefined();
});

describe("addresses", () => {
  const warnings: string[] = [];
  const list = (words: string, unit = 0): AddressList => {
    warnings.length = 0;
    return addressList(
      words.split(" ").filter((word) => word !== ""),
      {
        host: (name) => (name === "arthur" ? parseIpv4("10.0.0.9") : undefined),
        network: (name) => (name === "office" ? parseIpv4("172.16.0.0") : undefined),
        warn: (text) => warnings.push(text),
      },
      unit,
    );
  };
  const allows = (words: string, address: string, unit = 0): boolean =>
    addressAllowed(list(words, unit), parseIpv4(address) ?? 0);

  test("none, or a dash, allows nothing; a star all", () => {
    expect(allows("", "10.0.0.1")).toBe(false);
    expect(allows("-", "10.0.0.1")).toBe(false);
    expect(allows("- 10.0.0.1", "10.0.0.1")).toBe(false);
    expect(allows("*", "10.0.0.1")).toBe(true);
    expect(allows("!10.0.0.1 *", "10.0.0.1")).toBe(false);
    expect(allows("!10.0.0.1 *", "10.0.0.2")).toBe(true);
  });

  test("the first rule that fits decides", () => {
    expect(allows("10.0.0.0/24 !10.0.0.7", "10.0.0.7")).toBe(true);
    expect(allows("!10.0.0.7 10.0.0.0/24", "10.0.0.7")).toBe(false);
    expect(allows("10.0.0.0/24", "10.0.1.0")).toBe(false);
    expect(allows("200.0.0.0/1", "255.0.0.1")).toBe(true);
    expect(allows("10.0.0.1/32", "10.0.0.1")).toBe(true);
  });

  test("hosts and networks by name", () => {
    expect(allows("arthur", "10.0.0.9")).toBe(true);
    expect(allows("office", "172.16.200.1")).toBe(true);
    expect(allows("office", "172.17.0.1")).toBe(false);
    expect(allows("office/24", "172.16.1.1")).toBe(false);
  });

  test("one address of a net by the interface's number", () => {
    expect(allows("10.0.0.0/24+", "10.0.0.1")).toBe(true);
    expect(allows("10.0.0.0/24+", "10.0.0.2")).toBe(false);
    expect(allows("10.0.0.0/24+", "10.0.0.6", 5)).toBe(true);
    expect(allows("192.168.1.0/24+", "192.168.1.6", 5)).toBe(true);
    expect(allows("10.0.0.0/30+", "10.0.0.3", 2)).toBe(true);
    list("10.0.0.0/30+", 3);
    expect(warnings).toEqual(["interface unit 3 too large for subnet 10.0.0.0/30+"]);
  });

  test("what cannot be read is skipped with a warning", () => {
    expect(allows("10.0.0.0/33 10.0.0.0/0 10.0.0.0/x 10.0.0.0/24x 10.0.0.0/24+x nohost 10.0.0.1", "10.0.0.1")).toBe(
      true,
    );
    expect(warnings).toEqual([
      "invalid address length 33 in auth. address list",
      "invalid address length 0 in auth. address list",
      "invalid address length x in auth. address list",
      "invalid address length syntax: 24x",
      "invalid address length syntax: 24+x",
      "unknown host nohost in auth. address list",
    ]);
  });

  test("a single address is suggested, and insisted on when it is the only entry", () => {
    const suggested = (words: string): [string | undefined, boolean] => {
      const { suggested: address, insist } = list(words);
      return [address === undefined ? undefined : formatIpv4(address), insist];
    };
    expect(suggested("10.0.0.1")).toEqual(["10.0.0.1", true]);
    expect(suggested("10.0.0.0/24 10.0.0.1 10.0.0.2")).toEqual(["10.0.0.1", false]);
    expect(suggested("10.0.0.0/24+")).toEqual(["10.0.0.1", true]);
    expect(suggested("!10.0.0.1 10.0.0.2")).toEqual(["10.0.0.2", false]);
    expect(suggested("*")).toEqual([undefined, true]);
  });

  test("is there any address at all", () => {
    expect(["", "-", "!10.0.0.1", "!10.0.0.1 -"].map((words) => someAddress(words.split(" ").filter(Boolean)))).toEqual(
      [false, false, false, false],
    );
    expect(["*", "10.0.0.1 -", "!10.0.0.1 10.0.0.2"].every((words) => someAddress(words.split(" ")))).toBe(true);
  });
});

describe("a search that found nothing says what comes nearest", () => {
  const file = "/etc/ppp/pap-secrets";
  const text = "# c\nford other x *\nzaphod * y *\n* mine z *\n";
  const nobody = `no line of ${file} is for`;
  test.each([
    ["zaphod", "srv", `client "zaphod" and server "srv"; line 3 is for client "zaphod" and any server`],
    ["marvin", "mine", `client "marvin" and server "mine"; line 4 is for any client and server "mine"`],
    // The client counts more than the server.
    ["zaphod", "mine", `client "zaphod" and server "mine"; line 3 is for client "zaphod" and any server`],
    ["marvin", "srv", `client "marvin" and server "srv"`],
    [undefined, "other", `any client and server "other"; line 2 is for client "ford" and server "other"`],
    ["ford", undefined, `client "ford" and any server; line 2 is for client "ford" and server "other"`],
    [undefined, undefined, "any client and any server"],
  ] as const)("%s at %s", (client, server, expected) => {
    expect(missingText({ file, client, server }, text)).toBe(`${nobody} ${expected}`);
  });

  test("a file that is not there; the line that was found; a sentence of it", () => {
    expect(missingText({ file, client: "a", server: "b" }, undefined)).toBe(`there is no ${file} to be read`);
    expect(lineText(file, { line: 3, client: "zap\x01", server: "*" })).toBe(
      `line 3 of ${file} (client "zap\\001", server "*")`,
    );
    expect([asSentence("there is"), asSentence("")]).toEqual(["There is", ""]);
  });
});
