// Sets of pppd's options for the systems that are found at the other end of a serial line, for the option `peer NAME`.
// A preset has no addresses, no authentication and no role (who calls): those are the administrator's. Each option has
// its reason, and each preset the public documents that it was made from.

import { nearestNames } from "../bytes/nearest.ts";

export interface Preset {
  readonly name: string;
  /** The system, as a person calls it. */
  readonly about: string;
  /** The options in the order in which they are read, each with the reason for it. */
  readonly options: readonly (readonly [words: string, because: string])[];
  readonly sources: readonly string[];
  /** What to set there. SPEED stands for the speed of the line. */
  readonly there: string;
  /**
   * What precedes PPP. "windows": on a cable it says CLIENT. "dialer": it may dial, as if we were a modem. "modem": it is
   * dialled with AT commands.
   */
  readonly greeting?: "windows" | "dialer" | "modem";
}

const HOWTO = "Serial-Laplink HOWTO, 2.4 and 3.2: https://tldp.org/HOWTO/Serial-Laplink-HOWTO/";

const LOCAL = ["local", "a null-modem cable has no carrier to wait for"] as const;
const CRTSCTS = ["crtscts", "its direct cable connection uses RTS and CTS"] as const;
const NO_IPV6 = ["noipv6", "it has no IPv6, and would refuse the protocol each time"] as const;
const MPPC = ["mppc", "Microsoft's compression is asked for, which it has"] as const;
const NOT_OURS = ["nodeflate nobsdcomp", "it has neither, so that the first request for compression is taken"] as const;
const NO_CCP = ["noccp", "it has no compression of packets, and would refuse the protocol each time"] as const;

const DIRECT_CABLE = "Direct Cable Connection as guest, on the serial cable";
const DIRECT_COMPUTER =
  "a new connection directly to another computer, as guest, over the communications cable between two computers";

const windows = (
  names: readonly [name: string, about: string],
  there: string,
  ipv6: boolean,
  ...sources: string[]
): Preset => ({
  name: names[0],
  about: names[1],
  there: `${there}, at SPEED with hardware flow control`,
  options: [LOCAL, CRTSCTS, ...(ipv6 ? [] : [NO_IPV6]), NOT_OURS, MPPC],
  sources: [HOWTO, ...sources],
  greeting: "windows",
});

/** A module for mobile networks. Its PPP ends in the module itself. */
const mobile = (name: string, about: string, options: Preset["options"], ...sources: readonly string[]): Preset => ({
  name,
  about,
  options: [
    ["noipdefault", "the network gives us the address"],
    ["ipcp-accept-local ipcp-accept-remote", "whatever addresses the network has are taken"],
    ["usepeerdns", "the network names its name servers"],
    ["novj", "the makers' own instructions go without header compression"],
    NO_CCP,
    ...options,
  ],
  sources,
  there: "a SIM card that asks for no PIN; the module itself needs nothing",
  greeting: "modem",
});

export const PRESETS: readonly Preset[] = [
  windows(
    ["win95", "Windows 95"],
    DIRECT_CABLE,
    false,
    "Microsoft Q156435 (its Ppplog.txt) and Q191494 (Dial-Up Networking 1.3)",
    "RFC 2118 (MPPC)",
  ),
  windows(
    ["win98", "Windows 98 and Me"],
    DIRECT_CABLE,
    false,
    "Microsoft Q297774 (its Dial-Up Server)",
    "RFC 2118 (MPPC)",
  ),
  windows(
    ["winnt", "Windows NT 4"],
    "Dial-Up Networking with the modem Dial-Up Networking Serial Cable between 2 PCs",
    false,
    "Microsoft Q161368 and Q169191 (its RAS)",
    "RFC 2118 (MPPC)",
  ),
  windows(["win2000", "Windows 2000"], DIRECT_COMPUTER, false, "[MS-RNAS] (MSRASV5.00)", "RFC 2118 (MPPC)"),
  windows(["winxp", "Windows XP"], DIRECT_COMPUTER, false, "[MS-RNAS] (MSRASV5.10)", "RFC 2118 (MPPC)"),
  windows(
    ["win7", "Windows Vista to 11"],
    "a dial-up connection with the modem Communications cable between two computers",
    true,
    "[MS-RNAS] (MSRASV5.20)",
    "RFC 2118 (MPPC)",
    "RFC 5072 (IPv6)",
  ),
  windows(
    ["wince", "Windows CE, Pocket PC and Windows Mobile"],
    "a direct connection over the serial cable on COM1",
    true,
    "Connecting Windows CE with Linux: http://bnv.home.cern.ch/bnv/software/ce_linux/",
    "http://www.handhelds.org/hypermail/ipaq/current/21407.html (pppd's log of Windows Mobile 5)",
  ),
  {
    name: "palm",
    about: "Palm OS in its cradle or on a HotSync cable",
    options: [LOCAL, ["silent", "the Palm begins when its user taps Connect"], NO_IPV6],
    sources: [
      "https://zipcon.net/~swhite/docs/computers/palm/PPPSerial.html",
      "http://www.niemueller.org/wiki/?PalmNullModemPPP",
    ],
    there:
      "Prefs, Connection: via Serial, at SPEED. Prefs, Network: service Unix with an empty login script, then Connect",
    greeting: "dialer",
  },
  {
    name: "newton",
    about: "Apple Newton with the Newton Internet Enabler",
    options: [LOCAL, ["silent", "the Newton begins when its user connects"], NO_IPV6],
    sources: ["https://0x1.org/d/stuff/newton-ppp.html", "http://tools.unna.org/wikiwikinewt/index.php/serial"],
    there: "Internet Setup: Direct Serial at SPEED, PPP, a login script of Done alone, then connect",
    greeting: "dialer",
  },
  {
    name: "psion",
    about: "Psion Series 5, Revo and netBook (EPOC)",
    options: [
      LOCAL,
      ["crtscts", "its serial driver locks up with XON/XOFF on the Revo and early Series 5"],
      ["silent", "the Psion begins when its user connects"],
      NO_IPV6,
    ],
    sources: [
      "https://www.bjornsblog.nl/general/how-to-connect-your-psion-to-the-internet-in-2024/",
      "http://www.lemoncube.com/190.html",
      "http://www2.nslu2-linux.org/wiki/pmwiki.php?pagename=Peripherals/PsionAsSlugTerminal",
    ],
    there:
      "Control panel: a modem for the direct cable connection at SPEED with RTS/CTS, and an Internet service of type Direct",
    greeting: "dialer",
  },
  {
    name: "amiga",
    about: "Amiga with Miami, AmiTCP or Roadshow",
    options: [LOCAL, ["passive", "it may be started long after us"], NO_IPV6],
    sources: [
      "http://c0dedbad.co.uk/raspberrypi-amiga-ppp/",
      "https://spookbench.net/blog/amiga/ppp/index.html",
      "https://github.com/MiSTer-devel/Main_MiSTer/issues/322 (pppd's log of MiamiDX)",
    ],
    there: "Miami, AmiTCP or Roadshow: PPP on serial.device at SPEED over a null modem, without a dial script",
    greeting: "dialer",
  },
  {
    name: "mac",
    about: "Macintosh with MacPPP, FreePPP or Open Transport",
    options: [LOCAL, ["passive", "it may be started long after us"], NO_IPV6, NO_CCP],
    sources: ["https://jcs.org/2020/09/03/wifi232_ppp", "http://igor.gold.ac.uk/~mas01rwb/pages/mac-serial-ppp.html"],
    there: "Config PPP or the PPP control panel: the modem port at SPEED, without a telephone number",
    greeting: "dialer",
  },
  {
    name: "dos",
    about: "DOS with a PPP packet driver (EPPPD, DOSPPP, NOS)",
    options: [
      LOCAL,
      ["passive", "it may be started long after us"],
      NO_IPV6,
      ["noccp", "the PPP of NOS, from which many descend, refuses the protocol"],
      ["mtu 576", "the buffers of its TCP/IP programs are small"],
    ],
    sources: [
      "http://web.ncf.ca/hce/ppp/pppd-man.txt",
      "VOGONS, thread 52264 (pppd's options for EPPPD)",
      "https://github.com/ka9q/ka9q-nos (ppplcp.c, pppipcp.c)",
    ],
    there: "EPPPD COM1 SPEED local",
    greeting: "dialer",
  },
  {
    name: "esp32",
    about: "ESP32 and other boards with lwIP (esp_netif, MicroPython)",
    options: [LOCAL, ["nocrtscts", "such boards bring out only TXD, RXD and ground"], NO_CCP],
    sources: [
      "https://github.com/espressif/esp-protocols/issues/565",
      "https://github.com/espressif/esp-protocols/issues/765 (pppd's log)",
    ],
    there: "PPPoS on a UART at SPEED (in MicroPython network.PPP)",
  },
  {
    name: "zephyr",
    about: "Zephyr RTOS",
    options: [
      LOCAL,
      ["silent", "the board may be flashed and reset after we have started"],
      ["novj", "its IPCP has no header compression"],
      NO_CCP,
      ["noaccomp", "it does not compress the address and control field"],
    ],
    sources: [
      "https://github.com/zephyrproject-rtos/net-tools (PPP Connectivity, loop-pppd.sh)",
      "https://github.com/zephyrproject-rtos/zephyr/issues/66177",
    ],
    there: "CONFIG_NET_PPP and CONFIG_NET_L2_PPP, with zephyr,ppp-uart at SPEED",
  },
  {
    name: "ardupilot",
    about: "ArduPilot autopilots (SERIALn_PROTOCOL 48)",
    options: [
      LOCAL,
      ["nocrtscts", "most USB adapters for its ports have no RTS and CTS; say crtscts after it if yours has"],
      NO_CCP,
      ["lcp-echo-interval 5 lcp-echo-failure 4", "it starts anew when it hears nothing for 15 seconds"],
    ],
    sources: [
      "https://github.com/ArduPilot/ardupilot/issues/34106",
      "https://github.com/ArduPilot/ardupilot (AP_Networking_PPP.cpp, PPP_LINK_TIMEOUT_MS)",
      "https://github.com/ArduPilot/ardupilot_wiki/pull/7040",
    ],
    there: "NET_ENABLE 1, and for its port SERIALn_PROTOCOL 48 and SERIALn_BAUD for SPEED",
  },
  mobile(
    "nrf91",
    "Nordic nRF91 with the Serial LTE Modem",
    [["ipcp-restart 5 ipv6cp-restart 5", "its answers wait for the network"]],
    "https://github.com/nrfconnect/sdk-nrf/pull/14313",
  ),
  mobile(
    "simcom",
    "SIMCom SIM800, SIM7000 and SIM7600",
    [["nocrtscts", "its USB ports, and most boards' serial ports, have no RTS and CTS"]],
    "https://github.com/sixfab/Sixfab_PPP_Installer/issues/16 (pppd's options in effect)",
    "https://github.com/botletics/SIM7000-LTE-Shield/issues/49",
  ),
  mobile(
    "quectel",
    "Quectel EC20, EC25, BG96 and M95",
    [["nocrtscts", "its USB ports have no RTS and CTS"]],
    "https://quickopen.readthedocs.io/en/latest/5-usb/ppp.html",
    "https://community.sixfab.com/t/442 (pppd's options in effect)",
  ),
  mobile(
    "huawei",
    "Huawei E220 and other UMTS modems",
    [
      ["usepeerwins", "its firmware offers WINS servers until they are asked for, and only then the true name servers"],
      ["lcp-echo-interval 0", "it answers echoes itself, so that they tell nothing of the network"],
    ],
    "http://jkroon.blogs.uls.co.za/it/networking/huawei-e220",
    "https://saturn.ffzg.hr/rot13/index.cgi?huawei_e220",
  ),
];

export function presetNamed(name: string): Preset | undefined {
  return PRESETS.find((preset) => preset.name === name);
}

/** All options of a preset, as a file would have them. */
export function presetWords({ options }: Preset): string {
  return options.map(([words]) => words).join(" ");
}

/** What helps a person who gave a name that no preset has: the nearest names, or all of them. */
export function presetHint(name: string): string {
  const names = PRESETS.map((preset) => preset.name);
  const near = nearestNames(name, names);
  return near.length > 0 ? `Did you mean ${near.join(" or ")}?` : `The presets are ${names.join(", ")}.`;
}

/** The source of a preset's options, in messages and in a dump. */
export function presetSource(name: string): string {
  return `peer ${name}`;
}
