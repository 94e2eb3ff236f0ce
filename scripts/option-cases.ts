// The cases that scripts/record-options.ts runs through the real pppd: every option in its forms, precedence,
// privileges, the grammar of files, and the checks before the start. This is data only. The answers of pppd are
// recorded in a fixture.

export interface OptionCase {
  readonly name: string;
  readonly args: readonly string[];
  /** Paths below /etc/ppp, or absolute ones; one char a byte. /etc/ppp/options exists, empty, unless given here. */
  readonly files?: Readonly<Record<string, string>>;
  /** Run by an ordinary user (zaphod, in group dip, home /home/zaphod) through a set-user-id copy. */
  readonly user?: true;
  /** With a default route in the guest. */
  readonly route?: true;
  /** No /etc/ppp/options. */
  readonly bare?: true;
}

/** Options without an argument: those of 2.4.9 and some it does not know. */
const PLAIN_WORDS =
  `debug -d nodetach -detach up_sdnotify updetach master_detach persist nopersist demand nolog nologfd ktune noktune
dump dryrun multilink mp nomultilink nomp noipx -ipx auth noauth require-pap +pap require-chap +chap require-mschap +mschap
require-mschap-v2 +mschap-v2 refuse-pap -pap refuse-chap -chap refuse-mschap -mschap refuse-mschap-v2 -mschap-v2
require-eap refuse-eap usehostname login enable-session papcrypt need-peer-eap lock nolock notty crtscts cdtrcts
nocrtscts -crtscts nocdtrcts xonxoff modem local sync -all noaccomp -ac default-asyncmap -am nomagic -mn default-mru
-mru nopcomp -pc passive -p silent lcp-echo-adaptive receive-all mpshortseq nompshortseq noendpoint hide-password
show-password chapms-strip-domain ms-lanman noip -ip novj -vj novjccomp -vjccomp ipcp-accept-local ipcp-accept-remote
noipdefault defaultroute nodefaultroute -defaultroute replacedefaultroute noreplacedefaultroute proxyarp noproxyarp
-proxyarp usepeerdns ipcp-no-addresses ipcp-no-address noremoteip nosendip +ipv6 noipv6 -ipv6 ipv6cp-accept-local
ipv6cp-accept-remote defaultroute6 nodefaultroute6 -defaultroute6 ipv6cp-use-ipaddr ipv6cp-use-persistent noccp -ccp
nobsdcomp -bsdcomp nodeflate -deflate nodeflatedraft predictor1 nopredictor1 -predictor1 require-mppe +mppe nomppe -mppe
require-mppe-40 +mppe-40 nomppe-40 -mppe-40 require-mppe-128 +mppe-128 nomppe-128 -mppe-128 mppe-stateful
nomppe-stateful noecp -ecp ipx +ipx ipxcp-accept-local ipxcp-accept-network ipxcp-accept-remote`.split(/\s+/);

/** Options with one whole number. */
const NUMBER_WORDS =
  `kdebug holdoff idle maxconnect logfd maxfail connect-delay unit child-timeout maxoctets mo mo-timeout stop-bits
datarate mru mtu lcp-echo-failure lcp-echo-interval lcp-restart lcp-max-terminate lcp-max-configure lcp-max-failure mrru
pap-restart pap-max-authreq pap-timeout chap-restart chap-max-challenge chap-interval chap-timeout ipcp-restart
ipcp-max-terminate ipcp-max-configure ipcp-max-failure defaultroute-metric ipv6cp-restart ipv6cp-max-terminate
ipv6cp-max-configure ipv6cp-max-failure eap-restart eap-max-sreq eap-timeout eap-max-rreq eap-interval vj-max-slots`.split(
    /\s+/,
  );

/** Options with another argument: valid values, then invalid ones after "|". */
const TEXT_WORDS: Readonly<Record<string, readonly string[]>> = {
  domain: ["example.org", ".example.org", ""],
  linkname: ["net0"],
  ifname: ["cable0", "a-name-of-more-than-sixteen"],
  ipparam: ["kit", "two words", 'quote"d', "back\\slash", "new\nline", "caf\u00c3\u00a9", ""],
  set: ["A=b", "A=b=c", "A=", "noequals", "=x"],
  unset: ["A", "A=b", ""],
  "ip-up-script": ["/bin/true"],
  "ip-down-script": ["/bin/true"],
  bundle: ["b"],
  "pass-filter": ["icmp", "not a filter ("],
  "active-filter": ["tcp port 80", "outbound and icmp"],
  plugin: ["nowhere.so"],
  "mo-direction": ["in", "out", "max", "sum", "frob"],
  name: ["zaphod", "", "x".repeat(300)],
  user: ["zaphod", "", "dom\\user"],
  password: ["gargleBlaster", ""],
  remotename: ["arthur", ""],
  "+ua": ["/home/zaphod/ua", "/nowhere"],
  privgroup: ["dip", "nogroupatall"],
  "allow-ip": ["10.0.0.1", "10.0.0.0/24", "!10.0.0.1"],
  remotenumber: ["123"],
  "allow-number": ["123*"],
  ca: ["/nowhere/ca.pem"],
  capath: ["/nowhere"],
  cert: ["/nowhere/c.pem"],
  key: ["/nowhere/k.pem"],
  crl: ["/nowhere/crl"],
  "crl-dir": ["/nowhere"],
  "max-tls-version": ["1.2", "9.9"],
  init: ["true", ""],
  connect: ["true", "chat -v '' ATZ", 'chat "a b" \\d', ""],
  disconnect: ["true"],
  welcome: ["true"],
  record: ["/tmp/record"],
  logfile: ["/tmp/log", "/nowhere/log"],
  escape: ["11,13", "11 13", "ff", "1,2,3,a0", "5e", "100,5e,7", "xyz", "11;13", "-1", "", ",1"],
  asyncmap: ["0", "a0000", "0xa0000", "ffffffff", "1ffffffff", "xyz", "a0000x", "-1"],
  "-as": ["a0000"],
  endpoint: [
    ..."null null: null:01 local local: local:01.02 local:0102.0304 local:zz local:1 IP IP: IP:1.2.3.4 IP:1.2.3".split(
      " ",
    ),
    ..."MAC MAC: MAC:00:11:22:33:44:55 magic: magic:1 phone: phone:123 frob 7:1 30 30: 30:0a 1:0a 3:1".split(" "),
    ..."255 256 300 -1 +7 07 0x7 7x 7:zz 7:01:02 7:01.02 7. 7:. NULL Local:01 ip:1.2.3.4 loc:01 0 0:01".split(" "),
    `7:${"0a".repeat(20)}`,
    `7:${"0a".repeat(21)}`,
    " 7",
    "7 :01",
  ],
  callback: ["123"],
  "ms-dns": ["1.2.3.4", "arthur", "nohost", "1.2.3"],
  "ms-wins": ["1.2.3.4", "nohost"],
  netmask: [
    "255.255.255.0",
    "0xffffff00",
    "255.255.0",
    "255",
    "256.0.0.0",
    "abc",
    "255.255.255.0x",
    "1.2.3.4.5",
    "0xffffff00.1",
    "255.0.255.0",
  ],
  ipv6: ["::1,::2", "::1", ",::2", "::1,", "fe80::1", "::", "::1,::", "zzz", "", "::1.2.3.4", "::1:2:3:4", "1::1"],
  bsdcomp: ["12", "12,13", "0", "0,12", "8", "16", "12,", "12,x", "x", "0x0c", "-1"],
  deflate: ["12", "12,13", "0", "8", "8,9", "9,8", "16", "7", "x", "12,0"],
  pty: ["cat"],
  socket: ["localhost:1"],
  file: ["/nowhere", "relative", "/etc/ppp"],
  call: ["nobody", "../x", "/x", "a/../b", "..x", ""],
  "ipx-network": ["abc"],
  "ipx-node": ["1:2"],
  "ipx-router-name": ["x"],
  "ipx-routing": ["2"],
  "ipxcp-restart": ["3"],
  "ipxcp-max-configure": ["3"],
  "ipxcp-max-terminate": ["3"],
  "ipxcp-max-failure": ["3"],
};

const SECRETS = { "pap-secrets": "* * x *\n" };
const DRY = ["dump", "dryrun"];

function words(text: string): string[] {
  return text.split(" ").filter((word) => word !== "");
}

/** A case run by root on the first serial port, with printed options. */
function root(args: string | readonly string[], files?: Record<string, string>, name?: string): OptionCase {
  const list = typeof args === "string" ? words(args) : args;
  return { name: name ?? list.join(" "), args: ["ttyS0", ...DRY, ...list], ...(files && { files }) };
}

function user(args: string | readonly string[], files: Record<string, string> = {}): OptionCase {
  const list = typeof args === "string" ? words(args) : args;
  return {
    name: `user: ${list.join(" ")}`,
    args: ["ttyS0", ...DRY, ...list],
    files: { ...SECRETS, ...files },
    user: true,
  };
}

/** A case with a complete /etc/ppp/options. */
function file(name: string, text: string, more: Record<string, string> = {}): OptionCase {
  return { name: `file: ${name}`, args: ["ttyS0", ...DRY], files: { options: text, ...more } };
}

function* everyWord(): Generator<OptionCase> {
  for (const word of PLAIN_WORDS) {
    yield root([word]);
    yield user([word]);
  }
  for (const word of NUMBER_WORDS) {
    for (const value of ["3", "0", "-1", "70000", "2147483647", "4294967295", "x"]) yield root([word, value]);
    yield user([word, "3"]);
    yield { name: `missing: ${word}`, args: [...DRY, word] };
  }
  for (const value of ["0x10", "010", "10s", "99999999999", "4294967295", "2147483648", " 7", "+7", "", "1e3", "0x"])
    yield root(["idle", value]);
  for (const [word, values] of Object.entries(TEXT_WORDS)) {
    // Each option also gets the empty word as an argument.
    for (const value of new Set([...values, ""]))
      yield root([word, value], undefined, `${word} ${JSON.stringify(value).slice(0, 40)}`);
    yield user([word, values[0]!]);
    yield { name: `missing: ${word}`, args: [...DRY, word] };
  }
  for (const word of ["name", "connect", "mtu", "asyncmap", "allow-ip", "file"])
    yield file(`missing ${word}`, `lock ${word}`);
}

const PRECEDENCE: readonly [string, string, Record<string, string>?][] = [
  // [what, command line, files]
  ["prio: command line beats options", "idle 7", { options: "idle 5" }],
  ["prio: command line beats options.tty", "idle 7", { "options.ttyS0": "idle 5" }],
  ["prio: options.tty beats options", "", { options: "idle 5", "options.ttyS0": "idle 6" }],
  ["prio: last of equals", "idle 7 idle 8"],
  ["plain: options.tty overrides command line", "mtu 500", { "options.ttyS0": "mtu 600" }],
  ["plain: asyncmap ORs", "asyncmap 1", { options: "asyncmap 2", "options.ttyS0": "asyncmap 4" }],
  ["plain: passive, silent", "passive", { options: "silent" }],
  ["ppprc", "", { "/root/.ppprc": "idle 9\nlock" }],
  ["ppprc and options", "", { options: "idle 5", "/root/.ppprc": "idle 9" }],
  ["group: crtscts xonxoff", "crtscts xonxoff"],
  ["group: xonxoff nocrtscts", "xonxoff nocrtscts"],
  ["group: command line local over options modem", "local", { options: "modem" }],
  ["group: options.tty modem under command line local", "local", { "options.ttyS0": "modem" }],
  ["group: auth then noauth", "auth noauth"],
  ["group: noauth in options.tty under auth", "auth", { "options.ttyS0": "noauth", ...SECRETS }],
  ["group: require-pap and require-eap", "require-pap require-eap", SECRETS],
  ["group: refuse-mschap-v2 then require-eap", "refuse-mschap-v2 require-eap", { "chap-secrets": "* * x *" }],
  ["group: require-eap then refuse-mschap-v2", "require-eap refuse-mschap-v2", { "chap-secrets": "* * x *" }],
  ["group: require-chap require-mschap", "require-chap require-mschap", { "chap-secrets": "* * x *" }],
  ["group: nodetach updetach", "nodetach updetach"],
  ["group: updetach nodetach", "updetach -detach"],
  ["group: persist nopersist", "persist nopersist"],
  ["group: deflate nodeflate", "deflate 12 nodeflate"],
  ["group: nodeflate deflate", "nodeflate deflate 12"],
  ["group: nobsdcomp bsdcomp", "nobsdcomp bsdcomp 12,9"],
  ["group: lock nolock", "lock nolock"],
  ["group: mru default-mru", "mru 1000 default-mru"],
  ["group: default-mru mru", "default-mru mru 1000"],
  ["group: logfile logfd", "logfile /tmp/l logfd 1"],
  ["group: hide show", "hide-password show-password"],
  ["group: ipv6 noipv6", "ipv6 ::1,::2 noipv6"],
  ["group: noipv6 +ipv6", "noipv6 +ipv6"],
  ["group: require-mppe nomppe", "require-mppe nomppe", {}],
  ["debug debug -d -d", "debug debug -d -d debug"],
  ["kdebug twice", "kdebug 1 kdebug 2"],
  ["disabled: nodefaultroute defaultroute", "nodefaultroute defaultroute"],
  ["disabled: nodefaultroute in options", "defaultroute", { options: "nodefaultroute" }],
  ["disabled: noproxyarp proxyarp", "noproxyarp proxyarp"],
  ["disabled: defaultroute nodefaultroute", "defaultroute nodefaultroute"],
  ["disabled: nodefaultroute6 defaultroute6", "nodefaultroute6 defaultroute6"],
  ["privfix: root may override connect", "connect b", { options: "connect a" }],
  ["privfix: options.tty over command line connect", "connect b", { "options.ttyS0": "connect a" }],
  ["privfix: stop-bits twice", "stop-bits 2", { options: "stop-bits 1" }],
  ["device in options", "", { options: "/dev/ttyS1" }],
  ["device in options.tty", "", { "options.ttyS0": "/dev/ttyS1" }],
  ["same device in options.tty", "", { "options.ttyS0": "/dev/ttyS0" }],
  ["pty in options.tty", "", { "options.ttyS0": "pty cat" }],
  ["notty in options.tty", "", { "options.ttyS0": "notty" }],
  ["demand in options.tty", "connect true noipv6", { "options.ttyS0": "demand" }],
  ["two devices", "ttyS1"],
  ["two speeds", "9600 115200"],
  ["speed twice over files", "9600", { options: "19200", "options.ttyS0": "38400" }],
  ["speed 0", "0"],
  ["speed hex", "0x2580"],
  ["speed octal", "010"],
  ["speed negative", "-9600"],
  ["speed with letters", "9600x"],
  ["speed of 2^31-1", "2147483647"],
  ["speed of 2^32-1", "4294967295"],
  ["speed of 2^32", "4294967296"],
  ["speed of eleven digits", "12345678901"],
  ["addresses", "10.0.0.1:10.0.0.2"],
  ["addresses local only", "10.0.0.1:"],
  ["addresses remote only", ":10.0.0.2"],
  ["addresses none", ":"],
  ["addresses by name", "ppp_laplink_host:serial_laplink_client"],
  ["addresses unknown local", "nohost:10.0.0.2"],
  ["addresses unknown remote", "10.0.0.1:nohost"],
  ["addresses zero", "0.0.0.0:0.0.0.0"],
  ["addresses zero local", "0.0.0.0:10.0.0.2"],
  ["addresses loopback", "127.0.0.1:10.0.0.2"],
  ["addresses loopback remote", "10.0.0.1:127.0.0.1"],
  ["addresses multicast", "224.0.0.1:"],
  ["addresses class E", ":240.0.0.1"],
  ["addresses broadcast", ":255.255.255.255"],
  ["addresses zero net", "0.0.0.5:"],
  ["addresses short", "10.1:10.2.3"],
  ["addresses one number", "5:6"],
  ["addresses hex", "0x0a000001:012.0.0.2"],
  ["addresses leading space", " 10.0.0.1:10.0.0.2"],
  ["addresses too big", "300.1.1.1:"],
  ["addresses two colons", "10.0.0.1:10.0.0.2:"],
  ["addresses name sets remotename", ":arthur"],
  ["addresses name and remotename", ":arthur remotename ford"],
  ["addresses command line over options", "10.0.0.1:", { options: "10.9.9.9:10.8.8.8" }],
  ["addresses options.tty under command line", "10.0.0.1:", { "options.ttyS0": "10.9.9.9:10.8.8.8" }],
  ["addresses twice", "10.0.0.1: :10.0.0.2"],
  ["asyncmap default after", "asyncmap a0000 default-asyncmap"],
  ["xonxoff asyncmap", "xonxoff asyncmap 1"],
  ["escape twice", "escape 1 escape 2"],
  ["ms-dns twice", "ms-dns 1.1.1.1 ms-dns 2.2.2.2"],
  ["ms-dns thrice", "ms-dns 1.1.1.1 ms-dns 2.2.2.2 ms-dns 3.3.3.3"],
  ["allow-ip twice", "allow-ip 10.0.0.1 allow-ip 10.0.0.2", { options: "allow-ip 10.0.0.3" }],
  ["allow-number twice", "allow-number 1 allow-number 2"],
  ["privgroup twice", "privgroup dip privgroup tty"],
  ["set twice", "set A=b set C=d unset A"],
  ["+all", "+all"],
  ["two dashes", "-- lock"],
  ["domain and hostname", "domain example.org name z usehostname"],
  ["vj-max-slots in a file", "", { options: "vj-max-slots 99" }],
  ["mtu in options.tty out of range", "", { "options.ttyS0": "mtu 99999" }],
  ["-as bad", "-as xyz"],
  ["bsdcomp over priorities", "bsdcomp 9", { "options.ttyS0": "nobsdcomp" }],
  ["nologfd then logfd", "nologfd logfd 1"],
  ["debug in options.tty", "debug", { "options.ttyS0": "debug" }],
  ["escape with an asyncmap", "escape 11 asyncmap 1"],
  ["name over sources", "", { options: "name a", "options.ttyS0": "name b" }],
  ["user cut", `user ${"u".repeat(200)}`],
  ["-all then mru", "-all mru 1000"],
  ["maxconnect lowered", "maxconnect 50", { options: "maxconnect 100" }],
  ["vj-max-slots edges", "vj-max-slots 2 vj-max-slots 16"],
  ["usehostname name", "usehostname name zaphod"],
  ["demand alone", "demand noipv6"],
  ["demand connect", "demand noipv6 connect true"],
  ["demand persist", "demand noipv6 nopersist connect true"],
  ["pty precludes device", "pty cat"],
  ["notty precludes device", "notty"],
  ["socket precludes device", "socket a:1"],
  ["unknown word", "frobnicate"],
  ["unknown word late", "lock idle 5 frobnicate"],
  ["empty word", ""],
  ["case matters", "LOCK"],
  ["missing device", "/dev/ttyUSB9"],
  ["missing device short", "ttyUSB9"],
  ["a file as device", "/etc/passwd"],
  ["a folder as device", "/dev"],
  ["device under a device", "ttyS0/x"],
  ["device with dot", "/dev/../dev/ttyS1"],
  ["null device", "/dev/null"],
  ["tty device", "/dev/tty"],
  ["--version", "--version"],
  ["--version after an error", "frob --version"],
  ["--version before an error", "--version frob"],
  ["-v", "-v"],
  ["--help", "--help"],
  ["-h", "-h"],
  ["show-options", "show-options"],
  ["--help in options", "", { options: "--help" }],
  ["call", "call kit", { "peers/kit": "idle 5\nnoauth\nmtu 600" }],
  ["call beats later options.tty", "call kit", { "peers/kit": "idle 5", "options.ttyS0": "idle 6" }],
  ["call in options", "idle 3", { options: "call kit", "peers/kit": "idle 5" }],
  ["call in a folder", "call a/b", { "peers/a/b": "idle 5" }],
  ["call with an error", "call kit", { "peers/kit": "frob" }],
  ["file", "file /tmp/f", { "/tmp/f": "idle 5" }],
  ["file nested", "file /tmp/f", { "/tmp/f": "idle 5 file /tmp/g idle 7", "/tmp/g": "idle 6 mtu 500" }],
  ["file with an error in a nested one", "file /tmp/f", { "/tmp/f": "file /tmp/g", "/tmp/g": "frob" }],
  ["file missing argument in nested", "file /tmp/f", { "/tmp/f": "file /tmp/g idle", "/tmp/g": "idle" }],
  ["file then command line", "file /tmp/f idle 7", { "/tmp/f": "idle 5" }],
  ["command line then file", "idle 7 file /tmp/f", { "/tmp/f": "idle 5" }],
  ["options.tty absent for another port", "", { "options.ttyS1": "idle 5" }],
  ["options.tty with an error", "", { "options.ttyS0": "frob" }],
  ["options.tty call", "", { "options.ttyS0": "call kit", "peers/kit": "idle 5" }],
];

const USER: readonly [string, Record<string, string>?][] = [
  ["connect b", { options: "connect a" }],
  ["connect b", { "options.ttyS0": "connect a" }],
  ["connect b", { "/home/zaphod/.ppprc": "connect a" }],
  ["ttyS1", { options: "/dev/ttyS0" }],
  ["", { "options.ttyS0": "/dev/ttyS1" }],
  ["stop-bits 2", { options: "stop-bits 1" }],
  ["stop-bits 2", { "options.ttyS0": "stop-bits 1" }],
  ["disconnect b", { options: "disconnect a" }],
  ["noauth", { options: "privgroup dip" }],
  ["noauth", { options: "privgroup tty" }],
  ["noauth", { options: "auth" }],
  ["call kit", { "peers/kit": "noauth" }],
  ["call kit connect b", { "peers/kit": "connect a" }],
  ["file /tmp/f", { "/tmp/f": "noauth" }],
  ["file /root/f", { "/root/f": "lock" }],
  ["", { "/home/zaphod/.ppprc": "noauth" }],
  ["", { "/home/zaphod/.ppprc": "idle 5" }],
  ["", { "options.ttyS0": "noauth" }],
  ["auth", { "options.ttyS0": "noauth" }],
  ["maxconnect 50", { options: "maxconnect 100" }],
  ["maxconnect 100", { options: "maxconnect 50" }],
  ["maxconnect 0", { options: "maxconnect 50" }],
  ["maxconnect 100"],
  ["maxoctets 100", { options: "maxoctets 50" }],
  ["maxoctets 0", { options: "maxoctets 50" }],
  ["lock nolock", { options: "lock" }],
  ["name x", { options: "name y" }],
  ["idle 5", { options: "idle 3" }],
  ["xonxoff", { options: "crtscts" }],
  ["10.0.0.1:10.0.0.2", { options: "10.9.9.9:" }],
  ["logfile /tmp/zaphodlog"],
  ["logfile /root/log"],
  ["record /root/r"],
  ["connect b", { options: "privgroup dip connect a" }],
  ["maxconnect 100", { options: "privgroup dip maxconnect 50" }],
  ["file /tmp/f", { options: "privgroup dip", "/tmp/f": "noauth" }],
  ["stop-bits 2 stop-bits 1"],
  ["welcome b", { "peers/x": "welcome a", options: "call x" }],
];

/** The quotes of word processors, in UTF-8, one char a byte. */
const CURLY = ["\u00e2\u0080\u009c", "\u00e2\u0080\u009d"] as const;

const GRAMMAR: readonly [string, string][] = [
  ["comment", "# a comment\nidle 5 # another\n"],
  ["comment after a word", "idle 5#7\nmtu 500"],
  ["comment in a word", "ipparam a#b"],
  ["hash quoted", "ipparam 'a#b'"],
  ["hash escaped", "ipparam a\\#b"],
  ["over lines", "idle\n\n5"],
  ["comment between option and value", "idle # how long\n5"],
  ["double quotes", 'ipparam "a b"'],
  ["single quotes", "ipparam 'a b'"],
  ["quotes inside a word", "ipparam a'b c'd\"e f\"g"],
  ["quote kinds nested", 'ipparam "it\'s" bundle \'say "x"\''],
  ["newline in quotes", "ipparam 'a\nb'"],
  ["unterminated quote", "ipparam 'a b\nidle 5\n"],
  ["unterminated quote empty", "ipparam '"],
  ["unterminated double", 'idle 5 ipparam "x'],
  ["empty word", 'ipparam "" idle 5'],
  ["empty last word", 'ipparam ""'],
  ["empty last word, newline", 'ipparam ""\n'],
  ["empty word as an option", '"" idle 5'],
  ["escapes", "ipparam a\\tb\\nc\\sd\\\\e\\\"f\\'g"],
  ["escapes control", "ipparam \\a\\b\\f\\r\\v"],
  ["escapes in double quotes", 'ipparam "a\\tb\\"c\\\\d"'],
  ["escapes in single quotes", "ipparam 'a\\tb\\'c\\\\d'"],
  ["octal", "ipparam \\101\\1012\\7z\\08\\400"],
  ["octal two digits", "ipparam \\12x\\1"],
  ["hex", "ipparam \\x41\\x4a1\\x4\\xg\\x"],
  ["hex upper", "ipparam \\xC3\\xA9"],
  ["other escapes", "ipparam \\q\\z\\8\\9\\%\\-"],
  ["backslash newline in a word", "ipparam ab\\\ncd"],
  ["backslash newline between words", "idle \\\n 5"],
  ["backslash newline at the start", "\\\nidle 5"],
  ["backslash newline alone, then comment", "idle 5 \\\n# x\n mtu 500"],
  ["backslash newline in quotes", "ipparam 'ab\\\ncd'"],
  ["backslash space", "ipparam a\\ b"],
  ["backslash at the end", "ipparam ab\\"],
  ["escaped NUL", "ipparam a\\000b"],
  ["tabs, form feeds, returns", "idle\t5\r\nmtu\f500\vlock"],
  ["CRLF", "idle 5\r\nlock\r\n"],
  ["high bytes", "ipparam caf\u00c3\u00a9\u00e9\u00ff"],
  ["control bytes", "ipparam a\u0001\u001f\u007fb"],
  ["word of 1022", `ipparam ${"x".repeat(1022)}`],
  ["word of 1023", `ipparam ${"y".repeat(1023)} lock`],
  ["word of 1024", `ipparam ${"z".repeat(1024)} lock`],
  ["word of 1500", `ipparam ${"w".repeat(1500)} lock`],
  ["no newline at the end", "lock"],
  ["only white space", " \n\t\n"],
  ["only a comment", "# x"],
  ["comment without newline", "lock # x"],
  ["quote ends and word goes on", "ip'pa'ram x"],
  ["NUL byte", "ipparam a\u0000b lock"],
  ["dash word", "- lock"],
  ["quoted option", "'idle' \"5\""],
  ["quoted speed", "'9600'"],
  ["howto connect unquoted", "connect chat -v -f /etc/ppp/scripts/winserver.chat\n"],
  ["howto unicode minus", "\u00e2\u0088\u0092chap\n+pap"],
  ["howto connect quoted", "connect 'chat -v -f /etc/ppp/scripts/winclient.chat'\nlock"],
  ["connect then an option on the line", "connect /bin/true -detach 115200\n"],
  ["byte order mark", "\u00ef\u00bb\u00bfidle 5\n"],
  ["byte order mark, then a comment", "\u00ef\u00bb\u00bf# x\nidle 5\n"],
  ["curly quotes", `connect ${CURLY[0]}/bin/true -v x${CURLY[1]}\nidle 5\n`],
  ["curly quotes around a word", `ipparam ${CURLY[0]}kit${CURLY[1]}\n`],
  ["connect quoted then an option on the line", "connect '/bin/true -x' -detach\n"],
];

const SECRET_CHECKS: readonly [string, string, Record<string, string>][] = [
  ["auth, no file", "auth", {}],
  ["auth, empty file", "auth", { "pap-secrets": "" }],
  ["auth, usable", "auth", { "pap-secrets": "zaphod * gargleBlaster *" }],
  ["auth, no address", "auth", { "pap-secrets": "zaphod * gargleBlaster" }],
  ["auth, dash", "auth", { "pap-secrets": "zaphod * gargleBlaster -" }],
  ["auth, dash after an address", "auth", { "pap-secrets": "zaphod * gargleBlaster 10.0.0.1 -" }],
  ["auth, only forbidden", "auth", { "pap-secrets": "zaphod * gargleBlaster !10.0.0.1" }],
  ["auth, forbidden then address", "auth", { "pap-secrets": "zaphod * gargleBlaster !10.0.0.1 10.0.0.2" }],
  ["auth, other server", "auth", { "pap-secrets": "zaphod elsewhere gargleBlaster *" }],
  ["auth, our name as server", "auth name elsewhere", { "pap-secrets": "zaphod elsewhere gargleBlaster *" }],
  ["auth, remotename", "auth remotename ford", { "pap-secrets": "zaphod * gargleBlaster *" }],
  ["auth, remotename known", "auth remotename zaphod", { "pap-secrets": "zaphod * gargleBlaster *" }],
  ["auth, remotename, star", "auth remotename ford", { "pap-secrets": "* * gargleBlaster *" }],
  ["auth, remote host name", "auth :arthur", { "pap-secrets": "zaphod * gargleBlaster *" }],
  ["auth, login, no file", "auth login", {}],
  ["require-pap, only chap", "require-pap", { "chap-secrets": "zaphod * x *" }],
  ["require-pap login", "require-pap login", {}],
  ["require-chap login", "require-chap login", {}],
  ["require-chap, chap", "require-chap", { "chap-secrets": "zaphod * x *" }],
  ["require-chap, no address", "require-chap", { "chap-secrets": "zaphod * x" }],
  ["require-chap, only pap", "require-chap", { "pap-secrets": "zaphod * x *" }],
  ["require-eap, chap", "require-eap", { "chap-secrets": "zaphod * x *" }],
  ["require-mschap-v2, chap", "require-mschap-v2", { "chap-secrets": "zaphod * x *" }],
  ["auth, chap", "auth", { "chap-secrets": "zaphod * x *" }],
  ["auth, pap without, chap with address", "auth", { "pap-secrets": "zaphod * x", "chap-secrets": "zaphod * x *" }],
  ["auth, allow-ip", "auth allow-ip *", {}],
  ["auth, quoted secret", "auth", { "pap-secrets": '* * "" *' }],
  ["auth, entry over two lines", "auth", { "pap-secrets": "* *\nx *" }],
  ["auth, backslash newline", "auth", { "pap-secrets": "* * \\\nx *" }],
  ["auth, two words only", "auth", { "pap-secrets": "* *" }],
  ["auth, options", "auth", { "pap-secrets": "* * x -- idle 5" }],
  ["auth, address and options", "auth", { "pap-secrets": "* * x * -- idle 5" }],
  ["auth, at-file", "auth", { "pap-secrets": "* * @/nowhere *" }],
  ["auth, better match without address", "auth remotename zaphod", { "pap-secrets": "* * x *\nzaphod * y" }],
  ["auth, ties keep the first", "auth", { "pap-secrets": "a * x\nb * y *" }],
  ["auth, exact server without address", "auth name us", { "pap-secrets": "a * x *\nb us y" }],
  ["auth, comment in the file", "auth", { "pap-secrets": "# c\n\n# d\n* * x *" }],
  ["auth, unterminated quote", "auth", { "pap-secrets": "* * 'x *\n" }],
];

const ALONE: readonly OptionCase[] = [
  { name: "no device, stdin not a tty", args: [...DRY, "noauth"] },
  { name: "no words at all", args: [] },
  { name: "no options file, root", args: ["ttyS0", ...DRY], bare: true },
  { name: "no options file, user", args: ["ttyS0", ...DRY], bare: true, user: true },
  { name: "pty", args: [...DRY, "pty", "cat"] },
  { name: "pty in options", args: [...DRY], files: { options: "pty cat" } },
  { name: "pty, options.tty not read", args: [...DRY, "pty", "cat"], files: { "options.ttyS0": "idle 5" } },
  { name: "notty", args: [...DRY, "notty"] },
  { name: "notty pty", args: [...DRY, "notty", "pty", "cat"] },
  { name: "socket", args: [...DRY, "socket", "h:1"] },
  { name: "socket pty", args: [...DRY, "socket", "h:1", "pty", "cat"] },
  { name: "notty demand", args: [...DRY, "notty", "demand", "noipv6"] },
  { name: "pty lock modem", args: [...DRY, "pty", "cat", "lock", "modem"] },
  { name: "default auth, user", args: ["ttyS0", ...DRY], user: true },
  { name: "default auth, user, no address", args: ["ttyS0", ...DRY], user: true, files: { "pap-secrets": "* * x" } },
  { name: "default auth, user, remotename", args: ["ttyS0", ...DRY, "remotename", "ford"], user: true },
  { name: "default auth, route", args: ["ttyS0", ...DRY], user: true, route: true },
  { name: "default auth, route, remotename", args: ["ttyS0", ...DRY, "remotename", "ford"], user: true, route: true },
  {
    name: "default auth, route, noauth in a file",
    args: ["ttyS0", ...DRY],
    user: true,
    route: true,
    files: { options: "noauth" },
  },
  { name: "default auth, route, secret", args: ["ttyS0", ...DRY], user: true, route: true, files: SECRETS },
  {
    name: "default auth, route, secret without address",
    args: ["ttyS0", ...DRY],
    user: true,
    route: true,
    files: { "pap-secrets": "* * x" },
  },
  { name: "default auth, route, root", args: ["ttyS0", ...DRY], route: true },
  { name: "dryrun alone", args: ["ttyS0", "dryrun"] },
  { name: "+ua good", args: ["ttyS0", ...DRY, "+ua", "/tmp/ua"], files: { "/tmp/ua": "zaphod\ngargle\n" } },
  { name: "+ua one line", args: ["ttyS0", ...DRY, "+ua", "/tmp/ua"], files: { "/tmp/ua": "zaphod\n" } },
  { name: "+ua no newline", args: ["ttyS0", ...DRY, "+ua", "/tmp/ua"], files: { "/tmp/ua": "zaphod\ngargle" } },
  { name: "+ua empty", args: ["ttyS0", ...DRY, "+ua", "/tmp/ua"], files: { "/tmp/ua": "" } },
  {
    name: "HOWTO server",
    args: ["/dev/ttyS0", "-detach", ...DRY],
    files: {
      options: "#/etc/ppp/options\nlock\n#auth forces authorization from peer\nauth\nlogin   \n",
      "options.ttyS0":
        "asyncmap 0\ncrtscts\n#local indicates that modem lines are not used\nlocal\nsilent\n#auth\n#login\n+pap\n-chap\n115200\nppp_laplink_host:serial_laplink_client\n",
      "pap-secrets": '*                        *                      ""                     *\n',
    },
  },
  {
    name: "HOWTO client",
    args: ["/dev/ttyS0", "-detach", ...DRY],
    files: {
      options: "lock\n",
      "options.ttyS0": "115200\ncrtscts\nlocal\nname zaphod\nnoauth\n",
      "pap-secrets": "zaphod * gargleBlaster\n",
    },
  },
  {
    name: "TRIK robot",
    args: [
      ..."/dev/ttyS1 115200 10.0.5.2:10.0.5.1 connect".split(" "),
      "chat -v -f /etc/ppp/winclient.chat",
      ..."nodetach noauth local debug dump defaultroute nocrtscts persist maxfail 0 holdoff 10 lcp-echo-interval 3 lcp-echo-failure 1 dryrun".split(
        " ",
      ),
    ],
  },
  {
    name: "ESP32 guide",
    args: [...DRY, ..."-detach 192.168.1.1:192.168.1.2 nocrtscts noipv6 ttyS0".split(" ")],
  },
  {
    name: "DOS guide",
    args: [
      ...DRY,
      ..."ttyS0 9600 passive silent local lock mtu 576 10.0.0.1:10.0.0.2 netmask 255.255.255.0 proxyarp".split(" "),
    ],
  },
];

export function optionCases(): OptionCase[] {
  const cases: OptionCase[] = [...everyWord()];
  for (const [name, line, files] of PRECEDENCE)
    cases.push(root(name === "empty word" ? [""] : line === " 10.0.0.1:10.0.0.2" ? [line] : line, files, name));
  for (const [line, files] of USER) cases.push(user(line, files));
  for (const [name, text] of GRAMMAR) cases.push(file(name, text));
  for (const [name, line, files] of SECRET_CHECKS) cases.push(root(line, files, `secrets: ${name}`));
  cases.push(...ALONE);
  return cases;
}
