// What a user needs to know of an option besides its line in the table. The first text follows that line; the others are
// paragraphs of their own. A test checks that each key is an option. In them `word` and _WORD_ are as in the pages
// (roff.ts).

export const OPTION_TEXTS: Readonly<Record<string, readonly string[]>> = {
  "device name": [
    "Without a slash at its beginning it is looked for in `/dev`. Without any, standard input is the line, and the program " +
      "stays in the foreground. After the command line, the options of `/etc/ppp/options.ttyX` are read.",
  ],
  "tty speed": ["Without a speed the port keeps the one that it has."],
  "IP addresses": [
    "Each is an address or a host name. An address that is left out, or 0.0.0.0, is taken from the peer. Without the option, " +
      "ours is that of the host name, unless `noipdefault` is given.",
  ],
  debug: ["One `debug` shows each control packet in words. The signal SIGUSR1 switches it on and off."],
  nodetach: ["Without it the program goes into the background as soon as the options are read."],
  updetach: ["The exit code is then that of a first link that failed."],
  holdoff: [
    "Default: 30 with `connect`, otherwise 0. It does not count after `idle`, `maxconnect` or a modem that hung up.",
  ],
  idle: ["0: no limit. Echoes of LCP do not count, and with `active-filter` only packets that pass it do."],
  maxconnect: ["0: no limit."],
  file: ["The file is read at this place. Quotes and comments are as in `/etc/ppp/options`; see pppd(8)."],
  call: [
    "The file is `/etc/ppp/peers/`_PEER_. Its options count as root's, also when another user names it: that is how root " +
      "allows a user a link. The name may not begin with a slash or contain two dots between slashes.",
  ],
  persist: [
    "It begins again without an end, at most `maxfail` times in a row without success, and waits `holdoff` seconds between.",
  ],
  demand: [
    "The interface exists from the beginning. The first packet that counts starts the link; packets wait until it is up.",
  ],
  logfile: ["The file is opened with the rights of the user who named it."],
  logfd: [
    "Without `logfile`, `logfd` and `nolog`, the log goes to standard output while the program is in the foreground.",
  ],
  linkname: ["The number of the process is in `/run/ppp-`_NAME_`.pid`, for poff(1) and scripts."],
  ktune: ["It switches IP forwarding on for `proxyarp`, and dynamic addresses for `demand`. Both are taken back."],
  "connect-delay": [
    "It counts after `connect`, with `pty` and with `socket`, and ends with the first packet of the peer.",
  ],
  unit: ["Without it the kernel's lowest free number is taken."],
  dryrun: ["The exit code is 0 when the options are right."],
  dump: ["Each line says where the option is from. Passwords are not shown."],
  set: ["The scripts are those of pppd(8), and the commands on the line."],
  plugin: [
    "The path before the name does not matter. These are built in; their options exist once the plugin is named.",
  ],
  "pass-filter": ["The expression is libpcap's (pcap-filter(7)) for a packet of PPP, with `inbound` and `outbound`."],
  "active-filter": [
    "The expression is as with `pass-filter`. Other packets neither start a link (`demand`) nor keep it (`idle`).",
  ],
  multilink: ["One process has all lines of the bundle; the further ones are named with `mpdevice`."],
  auth: [
    "Without `auth` and `noauth`, the peer must authenticate if this machine has a default route and a user other than root " +
      "runs pppd.",
  ],
  noauth: ["Any peer is let in. Use it for a cable of your own."],
  name: [
    "It is also our name when the peer authenticates: the second word of a line in the secrets files. Without it, that is the host name.",
  ],
  user: ["Without it, that is `name` or the host name."],
  password: ["Every user of the machine can see it on a command line: prefer the secrets files or `+ua`."],
  "+ua": ["The first line is the name, the second one the password."],
  remotename: ["It chooses the line of a secrets file when the peer does not tell its name (PAP)."],
  login: ["The peer must have a line in `pap-secrets` too, as a rule with an empty secret and `*` for the address."],
  "allow-ip": ["The addresses are written as in a secrets file: `10.1.0.0/16`, `!10.1.2.3`, `*`."],
  "tls-verify-method": [
    "`name` compares with the certificate's common name, `suffix` with its end, `subject` with all of the subject.",
  ],
  init: ["It runs before `connect`, with the line as its standard input and output."],
  connect: [
    "As a rule it is chat(8), which then runs inside this program. The line is its standard input and output, and its exit " +
      "code must be 0. `/bin/sh` runs it, so one word holds the whole command.",
    "Example: `connect 'chat -v -f /etc/chatscripts/provider'`",
  ],
  disconnect: ["It does not run when the modem has hung up."],
  welcome: ["It runs after `connect`, when the line is ready for PPP."],
  pty: ["The program's terminal is the line: `pty 'ssh host pppd notty noauth'`."],
  notty: ["The peer is at the other end of standard input and output, as with `ssh`."],
  "crash-capture": [
    "The file is `nullmodem-`_LINE_`-`_FAULT_`-`_TIME_`-`_NUMBER_`.pcapng`, for root alone. A line has one a minute for the same fault. " +
      "Ten are kept: of the line and fault with most files, the oldest goes. Faults are a hang-up without a " +
      "Terminate-Request, echoes without an answer, LCP that times out after something was heard, and an authentication or a " +
      "negotiation that fails. An end that a side asks for is none. The folder must exist.",
    "The file has the latest 64 kB of packets of all attempts: control packets whole, without passwords of PAP, and the headers of IP packets.",
  ],
  record: ["pppdump(8) prints the file. It has everything that goes over the line, passwords of PAP too."],
  crtscts: ["It needs a cable with the wires RTS and CTS."],
  xonxoff: ["It is slower than `crtscts` and works with three wires. The two characters are escaped."],
  modem: [
    "The program waits for the carrier, ends when it is lost, and drops DTR at the end. It is the default; a cable of three wires needs `local`.",
  ],
  local: ["A cable with three wires has no carrier."],
  asyncmap: ["Bit _n_ stands for the control character _n_. `asyncmap a0000` is for a line with `xonxoff`."],
  escape: ["The numbers are hexadecimal, with commas between them. `5e` cannot be escaped."],
  mru: ["It is between 128 and 16384."],
  mtu: ["The interface gets the smaller one of this number and what the peer can receive."],
  passive: ["Without it, a peer that does not answer ends the attempt after `lcp-max-configure` requests."],
  silent: ["Use it at one end at most."],
  "lcp-echo-interval": ["With `lcp-echo-failure` it notices a peer that is gone without a carrier that tells so."],
  endpoint: [
    "It is `local:`_HEX_, `ip:`_ADDRESS_, `mac:`_ADDRESS_, `magic:`_HEX_, `phone:`_HEX_ or `null`. The value of `mac:` may be " +
      "an interface that has one.",
  ],
  "ms-dns": ["It may be given twice. With `share` it is not needed."],
  ipparam: ["It is the last argument of the scripts."],
  defaultroute: ["An existing default route stays, unless `replacedefaultroute` is given."],
  proxyarp: ["The peer then looks like a machine of this local network."],
  usepeerdns: ["They are in `/etc/ppp/resolv.conf` and in the scripts' DNS1 and DNS2."],
  netmask: ["Nobody needs it: the mask of a link is that of one address."],
  "vj-max-slots": ["It is between 2 and 16."],
  ipv6: ["Each is 64 bits, as `::1:2:3`."],
  bsdcomp: ["A code has 9 to 15 bits; 0 switches a direction off. More bits compress better and take more memory."],
  deflate: ["The window is between 8 and 15; 0 switches a direction off."],
  "require-mppe": ["It needs MS-CHAP or MS-CHAPv2: `require-mschap-v2` at the end that checks."],
  callback: ["It is for servers of Windows (CBCP). The link ends with exit code 14 when the peer will call."],
};
