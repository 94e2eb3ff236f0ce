// Which rule drops forwarded packets, on rules as `nft -j list ruleset` says them.

import { expect, test } from "bun:test";
import { type ForwardedPacket, Ruleset, ruleText } from "../../../src/run/share/blocking-rule.ts";

const OUT: ForwardedPacket = { family: 4, iifname: "ppp0", oifname: "eth0", source: "10.9.0.2", state: "new" };
const BACK: ForwardedPacket = { family: 4, iifname: "eth0", oifname: "ppp0", source: undefined, state: "established" };

type Statement = Readonly<Record<string, unknown>>;
const meta = (key: string, right: unknown, op = "=="): Statement => ({ match: { op, left: { meta: { key } }, right } });
const xt = (type: string, name: string): Statement => ({ xt: { type, name } });
const DROP: Statement = { drop: null };
const ACCEPT: Statement = { accept: null };

/** What blocks with these rules in chain "f"; the policy, a handle, or nothing. */
function blocked(
  rules: readonly (readonly Statement[])[],
  packet = OUT,
  policy = "accept",
  more: readonly Statement[] = [],
) {
  const own = { family: "ip", table: "t" };
  const text = JSON.stringify({
    nftables: [
      { metainfo: {} },
      { chain: { ...own, name: "f", type: "filter", hook: "forward", prio: 0, policy } },
      ...rules.map((expr, at) => ({ rule: { ...own, chain: "f", handle: at + 1, expr } })),
      ...more,
    ],
  });
  const found = new Ruleset(text).blocks(packet);
  return found === undefined ? undefined : (found.handle ?? "policy");
}

const other = (expr: readonly Statement[], name = "o"): Statement[] => [
  { chain: { family: "ip", table: "t", name } },
  { rule: { family: "ip", table: "t", chain: name, handle: 99, expr } },
];

test("rules that match decide in their order, and then the policy", () => {
  expect(blocked([])).toBeUndefined();
  expect(blocked([], OUT, "drop")).toBe("policy");
  expect(blocked([[meta("iifname", "ppp*"), DROP]])).toBe(1);
  expect(blocked([[meta("iifname", "ppp0"), ACCEPT], [DROP]])).toBeUndefined();
  expect(
    blocked([
      [meta("iifname", { set: ["lo", "br0"] }), ACCEPT],
      [{ counter: null }, { reject: null }],
    ]),
  ).toBe(2);
  expect(blocked([[meta("iifname", "ppp0", "!="), DROP]])).toBeUndefined();
  expect(blocked([[meta("oifname", "ppp0", "!="), DROP]], BACK)).toBeUndefined();
});

test("chains before and after the decision where a packet goes are followed too", () => {
  const chains = (hook: string): Statement[] => [
    { chain: { family: "inet", table: "u", name: hook, type: "filter", hook, prio: 0, policy: "accept" } },
    { rule: { family: "inet", table: "u", chain: hook, handle: 50, expr: [meta("iifname", "ppp0"), DROP] } },
    { rule: { family: "inet", table: "u", chain: hook, handle: 51, expr: [meta("oifname", "eth0"), DROP] } },
  ];
  const blockedAt = (hook: string): unknown => blocked([], OUT, "accept", chains(hook));
  expect(["prerouting", "postrouting", "input"].map(blockedAt)).toEqual([50, 51, undefined]);
});

test("what is not known of a packet decides nothing", () => {
  expect(
    blocked([[{ match: { op: "==", left: { payload: { protocol: "tcp", field: "dport" } }, right: 25 } }, DROP]]),
  ).toBeUndefined();
  expect(blocked([[meta("iifname", "@bad"), DROP]])).toBeUndefined();
  expect(blocked([[{ limit: { rate: 1 } }, ACCEPT]], OUT, "drop")).toBe("policy");
  expect(new Ruleset("no JSON").blocks(OUT)).toBeUndefined();
});

test("jumps, returns and maps are followed", () => {
  const jump: Statement = { jump: { target: "o" } };
  expect(blocked([[jump], [DROP]], OUT, "accept", other([ACCEPT]))).toBeUndefined();
  expect(blocked([[jump], [DROP]], OUT, "accept", other([{ return: null }]))).toBe(2);
  expect(blocked([[{ goto: { target: "o" } }], [DROP]], OUT, "accept", other([{ counter: null }]))).toBeUndefined();
  expect(blocked([[jump]], OUT, "accept", other([jump]))).toBeUndefined();
  const states = {
    vmap: {
      key: { ct: { key: "state" } },
      data: {
        set: [
          ["established", ACCEPT],
          ["new", jump],
        ],
      },
    },
  };
  expect(blocked([[states]], OUT, "drop", other([DROP]))).toBe(99);
  expect(blocked([[states]], BACK, "drop")).toBeUndefined();
});

test("extensions of iptables: comments match, and what accepts by the state lets the answers pass", () => {
  const conntrack = xt("match", "conntrack");
  expect(blocked([[xt("match", "comment"), xt("target", "REJECT")]])).toBe(1);
  expect(blocked([[xt("match", "policy"), DROP]])).toBeUndefined();
  expect(blocked([[conntrack, ACCEPT]], OUT, "drop")).toBe("policy");
  expect(blocked([[conntrack, ACCEPT]], BACK, "drop")).toBeUndefined();
  // --ctstate INVALID
  expect(blocked([[conntrack, DROP]], BACK)).toBeUndefined();
});

test("the rules of a link drop what the user wants to be dropped", () => {
  const limits: Statement = { jump: { target: "nullmodem-7-to" } };
  expect(blocked([[limits]], OUT, "accept", other([{ reject: null }], "nullmodem-7-to"))).toBeUndefined();
});

test("the text of a rule", () => {
  const listed =
    "table ip t {\n\tchain f { # handle 1\n\t\tip saddr 10.0.0.0/8 counter packets 3 bytes 180 drop # handle 12\n\t}\n}";
  expect(ruleText(listed, 12)).toBe("ip saddr 10.0.0.0/8 drop");
  expect(ruleText(listed, 2)).toBeUndefined();
});
